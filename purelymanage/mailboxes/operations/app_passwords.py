"""Making app passwords, and revoking those the panel made."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from purelymanage import crypto
from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.actors import Actor, actor_of, as_columns
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent
from purelymanage.deletions.models import Kind
from purelymanage.deletions.pending import refuse_if_pending
from purelymanage.errors import Refused
from purelymanage.imap.account import Account
from purelymanage.imap.errors import ImapError, LoginRefused
from purelymanage.imap.login import check_login
from purelymanage.mailboxes.models import AppPassword, Change, Mailbox
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import (
    NotSent,
    PurelymailError,
    Rejected,
    Unavailable,
)

logger = logging.getLogger(__name__)

# Longer than the call that makes one may take.
MADE_WITHIN = timedelta(minutes=3)
MOST_AT_ONCE = 10
STILL_WORKS = "PurelyMail said it was done, but it still works."

# The app passwords, by primary key, that something at work needs just now.
InUse = Callable[[], "models.QuerySet[models.Model, int]"]

_users: list[InUse] = []


class NotMade(Refused):
    """Why there is no new app password, or that nobody knows (`is_outage`)."""

    def __init__(self, message: str, *, is_outage: bool = False) -> None:
        super().__init__(message)
        self.is_outage = is_outage


class NotRevoked(Refused):
    """Why an app password still works, as far as anybody knows."""


def register_in_use(provider: InUse) -> None:
    """Let no sweep revoke what an app to the right is working with."""
    if provider not in _users:
        _users.append(provider)


# Making


def make_app_password(
    *, mailbox: Mailbox, name: str, purpose: str, actor: User
) -> tuple[AppPassword, str]:
    """Make an app password that is kept until somebody revokes it.

    The text is returned once and kept sealed: without it nobody could revoke it.
    """
    row = _claim(mailbox, name, purpose, actor)
    try:
        return row, mint(row=row)
    except (Rejected, NotSent) as exc:
        is_refused = isinstance(exc, Rejected) and not exc.is_about_token
        said = f"PurelyMail refused it: {exc.message}" if is_refused else exc.message
        raise NotMade(
            f"No app password was made for {mailbox}. {said}",
            is_outage=not is_refused,
        ) from exc
    except Unavailable as exc:
        _note_unsure(row)
        raise NotMade(
            f"Nobody knows whether PurelyMail made “{name}”: its answer was lost. If "
            "the owner sees one of that name in the portal, it can be deleted there, "
            "as nobody knows its text.",
            is_outage=True,
        ) from exc


def intend(*, address: str, name: str, purpose: str) -> AppPassword:
    """Write down that the panel is about to make one for itself, to be revoked soon.

    Before the call, so that a crash leaves a trace of a password that may exist.
    """
    return AppPassword.objects.create(
        address=address,
        name=name,
        purpose=purpose,
        revoke_after=timezone.now() + MADE_WITHIN,
    )


def mint(*, row: AppPassword) -> str:
    """Make the app password that `row` announces. Raises what the client raises."""
    try:
        plain = get_client().create_app_password(row.address, name=row.name)
    except (Rejected, NotSent) as exc:
        _note_failed(row, exc.message)
        raise
    _note_made(row, plain)
    return plain


# Revoking


def revoke_app_password(*, row: AppPassword, actor: Actor) -> None:
    """Revoke one, or raise `NotRevoked` with the reason; trying then goes on."""
    if row.is_being_made:
        raise NotRevoked(f"“{row.name}” is just being made. Wait a moment.")
    if row.may_exist:
        raise NotRevoked(
            f"Nobody here knows the text of “{row.name}”, so only its owner can "
            "delete it, in the portal."
        )
    if reason := revoke(row=row, actor=actor):
        raise NotRevoked(f"“{row.name}” could not be revoked yet. {reason}")


def revoke_kept(*, address: str, actor: Actor) -> list[str]:
    """Revoke all that people had made for a mailbox; say of which it did not work."""
    return _revoke_all(AppPassword.objects.of_people(), address, actor)


def revoke_every(*, address: str, actor: Actor) -> list[str]:
    """Revoke all that was made for a mailbox, also what the panel works with."""
    return _revoke_all(AppPassword.objects.all(), address, actor)


def revoke_due() -> int:
    """Try what could not be revoked before or was forgotten; return how many went."""
    rows = AppPassword.objects.due(timezone.now())
    for provider in _users:
        rows = rows.exclude(pk__in=provider())
    return sum(not revoke(row=row) for row in rows[:MOST_AT_ONCE])


def revoke(*, row: AppPassword, actor: Actor | None = None) -> str:
    """Delete one at PurelyMail, and believe it when it stopped working.

    Return why it did not, or nothing. With `actor`, this person wants it gone.
    """
    if not _claim_revocation(row, actor):
        return "It is being revoked already."
    if not row.secret:
        note = _note_unsure if row.made_by_id else _give_up
        note(row)
        return "Nobody knows whether PurelyMail made it."

    try:
        plain = crypto.unseal(row.secret, bound_to=row.secret_place)
    except crypto.Unreadable as exc:
        return _note_left(row, str(exc))
    try:
        get_client().delete_app_password(row.address, plain)
    except Rejected as exc:
        # Perhaps because it is gone: the login below tells.
        reason = exc.message or "PurelyMail refused it without a reason."
    except PurelymailError as exc:
        return _note_left(row, exc.message)
    else:
        reason = STILL_WORKS

    try:
        check_login(imap_account(row.address, plain))
    except LoginRefused:
        if _note_revoked(row):
            return ""
        reason = "The mailbox is just being renamed."
    except ImapError as exc:
        reason = exc.message
    return _note_left(row, reason)


@transaction.atomic(durable=True)
def forget_app_password(*, row: AppPassword, actor: User) -> None:
    """Take one off the list of which nobody knows whether it was made."""
    kept = AppPassword.objects.select_for_update().filter(pk=row.pk).first()
    if kept is None or not kept.may_exist:
        raise Refused(f"“{row.name}” is known to exist: revoke it instead.")
    kept.delete()
    log.record(
        Event.APP_PASSWORD_FORGOTTEN,
        actor=actor,
        target=row.address,
        purpose=row.what,
    )


def imap_account(address: str, password: str) -> Account:
    """Return how PurelyMail's mail server is entered with an app password."""
    return Account(
        host=settings.PURELYMAIL_IMAP_HOST,
        port=settings.PURELYMAIL_IMAP_PORT,
        user=address,
        password=password,
        ca_file=settings.IMAP_CA_FILE,
    )


# What is written down


@transaction.atomic(durable=True)
def _claim(mailbox: Mailbox, name: str, purpose: str, actor: User) -> AppPassword:
    mine = Mailbox.objects.visible_to(actor).present()
    # Held, so that the same form sent twice makes one.
    held = mine.select_for_update().filter(pk=mailbox.pk).first()
    if held is None:
        raise NotMade(f"{mailbox} is not at PurelyMail any more.")
    refuse_if_pending(Kind.MAILBOX, held.address)
    if held.suspended_at:
        raise NotMade(f"{mailbox} is suspended. Reactivate it first.")
    same = AppPassword.objects.of_people().filter(address=held.address)
    if same.filter(name__iexact=name).exists():
        raise NotMade(f"There is one called “{name}” already. Choose another name.")
    return AppPassword.objects.create(
        address=held.address,
        name=name,
        purpose=purpose,
        made_by=actor,
        revoke_after=timezone.now() + MADE_WITHIN,
    )


@transaction.atomic(durable=True)
def _claim_revocation(row: AppPassword, actor: Actor | None) -> bool:
    pause = timedelta(minutes=min(2**row.revoke_tries, 60))
    tries = row.revoke_tries
    columns = {
        "revoke_tries": tries + 1,
        "revoke_after": timezone.now() + pause,
        **(as_columns(actor) if actor is not None else {}),
    }
    claimed = AppPassword.objects.filter(pk=row.pk, revoke_tries=tries)
    if not claimed.update(**columns):
        return False
    for name, value in columns.items():
        setattr(row, name, value)
    return True


def _revoke_all(
    rows: models.QuerySet[AppPassword], address: str, actor: Actor
) -> list[str]:
    rows = rows.filter(address=address)
    # All of them first: should this process die, the sweep does the rest. One that
    # is just being made is revoked once its text is known.
    rows.update(**as_columns(actor))
    rows.exclude(secret="").update(revoke_after=timezone.now())
    left = []
    for row in rows.order_by("pk"):
        if not row.secret:
            if row.made_by_id:
                left.append(f"“{row.name}” may exist, and nobody knows its text yet.")
        elif reason := revoke(row=row):
            left.append(f"“{row.name}” could not be revoked yet. {reason}")
    return left


@transaction.atomic(durable=True)
def _note_made(row: AppPassword, plain: str) -> None:
    held = AppPassword.objects.select_for_update().get(pk=row.pk)
    is_kept = bool(held.made_by_id) and not held.is_wanted_gone
    row.secret = crypto.seal(plain, bound_to=row.secret_place)
    row.revoke_after = None if is_kept else timezone.now()
    row.save(update_fields=["secret", "revoke_after"])
    log.record(
        Event.APP_PASSWORD_CREATED,
        actor=row.made_by or Agent.PANEL,
        target=held.address,
        purpose=row.what,
    )


@transaction.atomic(durable=True)
def _note_failed(row: AppPassword, reason: str) -> None:
    row.delete()
    if row.made_by:
        log.record(
            Event.APP_PASSWORD_FAILED,
            actor=row.made_by,
            target=row.address,
            purpose=row.what,
            reason=reason or "PurelyMail gave no reason.",
        )


@transaction.atomic(durable=True)
def _note_unsure(row: AppPassword) -> None:
    """Keep a person's request whose answer was lost as a note that it may exist."""
    row.revoke_after = None
    row.save(update_fields=["revoke_after"])
    log.record(
        Event.APP_PASSWORD_UNKNOWN,
        actor=row.made_by or Agent.PANEL,
        target=row.address,
        purpose=row.what,
    )


@transaction.atomic(durable=True)
def _note_revoked(row: AppPassword) -> bool:
    # Under its old name a mailbox that is being renamed lets nobody in either.
    renaming = Change.objects.asked().filter(
        kind=Change.Kind.RENAME, mailbox__address=row.address
    )
    if renaming.exists():
        return False
    if not AppPassword.objects.filter(pk=row.pk, address=row.address).delete()[0]:
        return False
    log.record(
        Event.APP_PASSWORD_REVOKED,
        actor=_who(row),
        target=row.address,
        purpose=row.what,
    )
    return True


@transaction.atomic(durable=True)
def _note_left(row: AppPassword, reason: str) -> str:
    """Say once that it is still there; trying goes on. Return the reason.

    Not after the first failure, as a server may remember a login for a moment.
    """
    logger.warning("An app password of %s is still there: %s", row.address, reason)
    if row.revoke_tries == 2:
        log.record(
            Event.APP_PASSWORD_LEFT,
            actor=_who(row),
            target=row.address,
            purpose=row.what,
            reason=f"{reason} It is tried again.",
        )
    return reason


@transaction.atomic(durable=True)
def _give_up(row: AppPassword) -> None:
    """Forget one of the panel's that nobody knows, as PurelyMail does not list them."""
    row.delete()
    log.record(
        Event.APP_PASSWORD_LEFT,
        actor=Agent.PANEL,
        target=row.address,
        purpose=row.what,
        reason=(
            f"it is unknown whether PurelyMail made it. If the owner sees one called "
            f"“{row.name}” in the portal, it can be deleted there."
        ),
    )


def _who(row: AppPassword) -> Actor:
    return actor_of(row) if row.is_wanted_gone else Agent.PANEL
