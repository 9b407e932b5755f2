"""Getting rid of the app passwords that the panel made."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from purelymanage import crypto
from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.actors import Actor, actor_of, as_columns
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent
from purelymanage.errors import Refused
from purelymanage.imap.account import Account
from purelymanage.imap.errors import ImapError, LoginRefused
from purelymanage.imap.login import check_login
from purelymanage.mailboxes.models import AppPassword, Change, HandOver
from purelymanage.mailboxes.operations.hand_overs import withdraw_hand_over
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import PurelymailError, Rejected

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 10
STILL_WORKS = "PurelyMail said it was done, but it still works."

# The app passwords, by primary key, that something at work needs just now.
InUse = Callable[[], "models.QuerySet[models.Model, int]"]

_users: list[InUse] = []


class NotRevoked(Refused):
    """Why an app password still works, as far as anybody knows."""

    def __init__(self, message: str, *, is_outage: bool = False) -> None:
        super().__init__(message)
        self.is_outage = is_outage


def register_in_use(provider: InUse) -> None:
    """Let no sweep revoke what an app to the right is working with."""
    if provider not in _users:
        _users.append(provider)


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
        raise NotRevoked(
            f"“{row.name}” could not be revoked yet. {reason} The panel tries again by "
            "itself.",
            is_outage=True,
        )


def revoke_kept(*, address: str, actor: Actor) -> list[str]:
    """Revoke all that people had made for a mailbox; say of which it did not work."""
    return _revoke_all(AppPassword.objects.of_people(), address, actor)


def revoke_every(*, address: str, actor: Actor) -> list[str]:
    """Revoke all that was made for a mailbox, also what the panel works with."""
    return _revoke_all(AppPassword.objects.all(), address, actor)


def revoke_former(*, address: str, made_before: datetime) -> None:
    """Have those go that went with an earlier mailbox of this name.

    They open nothing any more, which the sweep sees by trying them.
    """
    former = AppPassword.objects.of_people().filter(address=address)
    former = former.filter(made_at__lt=made_before).exclude(secret="")
    former.update(revoke_after=timezone.now())


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
        note = note_unsure if row.made_by_id else _give_up
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
            _withdraw_links(row, plain)
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
    """Return how PurelyMail's mail server is entered with a password of a mailbox."""
    return Account(
        host=settings.PURELYMAIL_IMAP_HOST,
        port=settings.PURELYMAIL_IMAP_PORT,
        user=address,
        password=password,
        ca_file=settings.IMAP_CA_FILE,
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
def note_unsure(row: AppPassword) -> None:
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


def _withdraw_links(row: AppPassword, plain: str) -> None:
    """Let no link show a text that opens nothing any more."""
    links = HandOver.objects.open().filter(
        mailbox__address=row.address, what=HandOver.What.APP_PASSWORD
    )
    for link in links.exclude(secret=""):
        try:
            shows = crypto.unseal(link.secret, bound_to=link.secret_place)
        except crypto.Unreadable:
            continue
        if shows == plain:
            # Of somebody who opens it at this moment, nobody has to be told.
            with suppress(Refused):
                withdraw_hand_over(hand_over=link, actor=_who(row))


def _who(row: AppPassword) -> Actor:
    return actor_of(row) if row.is_wanted_gone else Agent.PANEL
