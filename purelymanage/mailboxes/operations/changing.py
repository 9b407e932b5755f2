"""The one way to change something of a mailbox: claim, call, look, settle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.actors import Actor, actor_of, as_columns
from purelymanage.audit.events import Event
from purelymanage.deletions.models import Kind
from purelymanage.deletions.pending import refuse_if_pending
from purelymanage.domains.operations import request_sync
from purelymanage.errors import Refused
from purelymanage.mailboxes.models import Change, Mailbox
from purelymanage.mailboxes.operations.details import DETAIL_NAMES
from purelymanage.purelymail.client import PurelymailClient, get_client
from purelymanage.purelymail.errors import (
    NotApplied,
    NotSent,
    PurelymailError,
    Rejected,
    Unavailable,
    Unreadable,
)
from purelymanage.purelymail.types import UserDetails

LOOK_TIMEOUT = 10.0  # somebody is waiting in front of a page
TOKEN_REFUSED = "PurelyMail refused the panel's token."  # noqa: S105  # no secret
AT_ONCE = 10

Call = Callable[[PurelymailClient], None]


class NotChanged(Refused):
    """Why nothing changed, or that nobody knows yet (`is_outage`).

    With `was_answered` PurelyMail was asked and did not do it, whatever it said.
    """

    def __init__(
        self, message: str, *, is_outage: bool = False, was_answered: bool = False
    ) -> None:
        super().__init__(message)
        self.is_outage = is_outage
        self.was_answered = was_answered


def carry_out(
    *,
    mailbox: Mailbox,
    kind: Change.Kind,
    wanted: dict[str, Any],
    actor: Actor,
    call: Call,
) -> None:
    """Change what a mailbox's details show, and believe it once they show it.

    `wanted` is what `is_applied` looks for. Raises `NotChanged`, or `Refused` where
    PurelyMail was not asked at all.
    """
    change = claim(mailbox=mailbox, kind=kind, wanted=wanted, actor=actor)
    lost = ask(change, call)
    try:
        details = look(get_client(timeout=LOOK_TIMEOUT), mailbox.address)
    except PurelymailError as exc:
        raise nobody_knows(mailbox.address) from exc
    if details is None:
        settle_failed(change, "There is no such mailbox at PurelyMail any more.")
        raise NotChanged(f"{mailbox} is not at PurelyMail any more.")
    if not is_applied(change, details):
        error = lost or NotApplied()
        settle_failed(change, error.message, details)
        raise NotChanged(
            f"{mailbox} was not changed. {error.message}",
            is_outage=lost is not None,
            was_answered=lost is None,
        )
    settle_done(change, details)


def ask(change: Change, call: Call) -> Unavailable | None:
    """Make the call; return the error after which nobody knows whether it happened.

    Raises `NotChanged`, with the change settled, where it certainly did not.
    """
    address = change.mailbox.address
    try:
        call(get_client())
    except Rejected as exc:
        settle_failed(change, exc.message or "PurelyMail gave no reason.")
        if exc.is_about_token:
            raise NotChanged(TOKEN_REFUSED, is_outage=True) from exc
        reason = exc.message or "It gave no reason."
        raise NotChanged(
            f"PurelyMail refused to change {address}: {reason}", was_answered=True
        ) from exc
    except NotSent as exc:
        settle_failed(change, exc.message)
        raise NotChanged(
            f"{address} was not changed. {exc.message}", is_outage=True
        ) from exc
    except Unavailable as exc:
        return exc
    return None


def look(client: PurelymailClient, address: str) -> UserDetails | None:
    """Return the details of a mailbox, or `None` where there is none."""
    try:
        return client.get_user(address)
    except Rejected as exc:
        # Codes are guesses, so the list decides.
        if exc.is_about_token or address in client.list_users():
            raise
        return None


def nobody_knows(address: str) -> NotChanged:
    return NotChanged(
        f"Nobody knows yet whether {address} was changed: PurelyMail does not answer. "
        "The panel looks again by itself within a few minutes.",
        is_outage=True,
    )


def is_applied(change: Change, details: UserDetails) -> bool:
    """Tell whether the details of a mailbox show what was wanted."""
    wanted = change.wanted
    methods = {method.target: method for method in details.recovery_methods}
    if change.kind == Change.Kind.FLAGS:
        return all(getattr(details, name) == value for name, value in wanted.items())
    if change.kind == Change.Kind.RECOVERY_REMOVED:
        return wanted["target"] not in methods
    if change.kind == Change.Kind.RECOVERY_SAVED:
        method = methods.get(wanted["target"])
        replaced = wanted["replaces"]
        return (
            method is not None
            and method.type == wanted["type"]
            and method.description == wanted["description"]
            and method.allow_mfa_reset == wanted["allow_mfa_reset"]
            and (replaced in ("", wanted["target"]) or replaced not in methods)
        )
    raise ValueError(f"The details do not show a {change.kind}.")


@transaction.atomic(durable=True)
def claim(
    *, mailbox: Mailbox, kind: Change.Kind, wanted: dict[str, Any], actor: Actor
) -> Change:
    """Note what is about to be asked, unless the mailbox is frozen or being changed."""
    mine = Mailbox.objects.present()
    if isinstance(actor, User):
        mine = mine.visible_to(actor)
    if not mine.filter(pk=mailbox.pk).exists():
        raise NotChanged(f"{mailbox} is not at PurelyMail any more.")
    refuse_if_pending(Kind.MAILBOX, mailbox.address)
    try:
        with transaction.atomic():
            return Change.objects.create(
                mailbox=mailbox, kind=kind, wanted=wanted, **as_columns(actor)
            )
    except IntegrityError:
        raise NotChanged(
            f"{mailbox} is just being changed. Wait a moment and look again."
        ) from None


@transaction.atomic(durable=True)
def settle_done(change: Change, details: UserDetails) -> None:
    """Write down what the details show now, and that it was this change."""
    mailbox = change.mailbox
    is_news = Change.objects.settle(change, Change.State.DONE)
    columns = details.as_columns()
    Mailbox.objects.filter(pk=mailbox.pk).update(**columns, details_at=timezone.now())
    if is_news:
        _record(change, mailbox)


@transaction.atomic(durable=True)
def settle_failed(
    change: Change, reason: str, details: UserDetails | None = None
) -> None:
    if details:
        Mailbox.objects.filter(pk=change.mailbox_id).update(
            **details.as_columns(), details_at=timezone.now()
        )
    is_news = Change.objects.settle(change, Change.State.FAILED, reason=reason)
    # PurelyMail may know something that the mirror does not.
    request_sync()
    if is_news:
        log.record(
            Event.MAILBOX_CHANGE_FAILED,
            actor=actor_of(change),
            target=change.mailbox.address,
            what=in_words(change),
            reason=reason,
        )


@transaction.atomic(durable=True)
def settle_unknown(change: Change) -> None:
    """Give up on a change that cannot be seen by looking, such as a password."""
    if Change.objects.settle(change, Change.State.UNKNOWN):
        log.record(
            Event.MAILBOX_CHANGE_UNKNOWN,
            actor=actor_of(change),
            target=change.mailbox.address,
            what=in_words(change),
        )


def in_words(change: Change) -> str:
    """Say what was to change, such as "two-factor sign-in on"."""
    if change.kind == Change.Kind.FLAGS:
        return ", ".join(
            f"{DETAIL_NAMES[name]} {'on' if value else 'off'}"
            for name, value in change.wanted.items()
        )
    return change.get_kind_display().lower()


def _record(change: Change, mailbox: Mailbox) -> None:
    event, details = {
        Change.Kind.FLAGS: (Event.MAILBOX_CHANGED, {"changes": in_words(change)}),
        Change.Kind.RECOVERY_SAVED: (
            Event.RECOVERY_SAVED,
            {"method": change.wanted.get("target", "")},
        ),
        Change.Kind.RECOVERY_REMOVED: (
            Event.RECOVERY_REMOVED,
            {"method": change.wanted.get("target", "")},
        ),
    }[Change.Kind(change.kind)]
    log.record(event, actor=actor_of(change), target=mailbox.address, **details)


def resolve_abandoned(client: PurelymailClient) -> int:
    """Find out what became of changes whose process died or got no answer.

    Raises what the client raises where that concerns them all; what was not looked at
    stays for the next time, as does a mailbox of which nothing sensible is said.
    """
    abandoned = Change.objects.abandoned().select_related("mailbox", "requested_by")
    resolved = 0
    for change in abandoned.order_by("requested_at")[:AT_ONCE]:
        try:
            resolve(change, client)
        except (Rejected, Unreadable) as exc:
            if isinstance(exc, Rejected) and exc.is_about_token:
                raise
            continue
        resolved += 1
    return resolved


def resolve(change: Change, client: PurelymailClient) -> None:
    """Settle a change of which its process is known to be dead."""
    resolver = RESOLVERS.get(Change.Kind(change.kind), _resolve_by_details)
    resolver(change, client)


def _resolve_by_details(change: Change, client: PurelymailClient) -> None:
    details = look(client, change.mailbox.address)
    if details is None:
        settle_failed(change, "There is no such mailbox at PurelyMail any more.")
    elif is_applied(change, details):
        settle_done(change, details)
    else:
        settle_failed(change, "PurelyMail did not do it.", details)


def _resolve_by_giving_up(change: Change, client: PurelymailClient) -> None:
    settle_unknown(change)


# What an operation does about its kind when nobody waits any more.
RESOLVERS: dict[Change.Kind, Callable[[Change, PurelymailClient], None]] = {
    Change.Kind.PASSWORD: _resolve_by_giving_up,
}
