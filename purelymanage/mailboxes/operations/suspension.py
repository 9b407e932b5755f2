"""Shutting an owner out of a mailbox whose mail keeps arriving."""

from __future__ import annotations

import secrets

from django.db import transaction
from django.utils import timezone

from purelymanage.audit import log
from purelymanage.audit.actors import Actor, actor_of
from purelymanage.audit.events import Event
from purelymanage.mailboxes.models import Change, Mailbox
from purelymanage.mailboxes.operations.app_passwords import revoke_kept
from purelymanage.mailboxes.operations.changing import (
    LOOK_TIMEOUT,
    NotChanged,
    ask,
    claim,
    look,
    nobody_knows,
    settle_failed,
)
from purelymanage.mailboxes.operations.hand_overs import withdraw_all_of
from purelymanage.mailboxes.operations.passwords import Trial, try_password
from purelymanage.purelymail.client import PurelymailClient, get_client
from purelymanage.purelymail.errors import NotApplied, PurelymailError, Rejected
from purelymanage.purelymail.types import UserDetails

KEY_BYTES = 32
SUSPENDED = "the mailbox is suspended"


def suspend(*, mailbox: Mailbox, actor: Actor) -> list[str]:
    """Set a password that nobody keeps, and revoke the app passwords of the panel.

    Asked again it does no harm. Return what is doubtful, in sentences. Raises
    `NotChanged`, or `Refused` where PurelyMail was not asked at all.
    """
    change = claim(mailbox=mailbox, kind=Change.Kind.SUSPENSION, wanted={}, actor=actor)
    password = unknown_password()
    lost = ask(
        change,
        lambda client: client.modify_user(mailbox.address, new_password=password),
    )
    details, trial = _see(get_client(timeout=LOOK_TIMEOUT), mailbox.address, password)
    if trial.opens is False:
        error = lost or NotApplied()
        settle_failed(change, error.message, details)
        raise NotChanged(
            f"{mailbox} was not suspended. {error.message}",
            is_outage=lost is not None,
            was_answered=lost is None,
        )
    if trial.opens is None and lost:
        # The sweep sets another password, so that this ends one way or the other.
        raise nobody_knows(mailbox.address) from lost
    left = revoke_kept(address=mailbox.address, actor=actor)
    _settle_suspended(change, trial)
    mailbox.refresh_from_db()
    return [*_doubts(trial), *left]


def finish_suspension(change: Change, client: PurelymailClient) -> None:
    """Suspend a mailbox after all, where nobody knows how far it went.

    The password that was to be set is lost, so another one is. Who asked wants the
    owner out, and setting it again does no harm.
    """
    address, password = change.mailbox.address, unknown_password()
    try:
        client.modify_user(address, new_password=password)
    except Rejected as exc:
        if exc.is_about_token:
            raise
        settle_failed(change, exc.message or "PurelyMail gave no reason.")
        return
    details, trial = _see(client, address, password)
    if trial.opens is False:
        settle_failed(change, NotApplied.message, details)
    else:
        revoke_kept(address=address, actor=actor_of(change))
        _settle_suspended(change, trial)


def unknown_password() -> str:
    return secrets.token_urlsafe(KEY_BYTES)


def _see(
    client: PurelymailClient, address: str, password: str
) -> tuple[UserDetails | None, Trial]:
    try:
        details = look(client, address)
    except PurelymailError:
        details = None  # signing in may tell all the same
    return details, try_password(address, password, details)


def _doubts(trial: Trial) -> list[str]:
    if trial.opens:
        return []
    return [f"PurelyMail said yes, but nobody has tried it: {trial.reason}."]


@transaction.atomic(durable=True)
def _settle_suspended(change: Change, trial: Trial) -> None:
    is_news = Change.objects.settle(change, Change.State.DONE)
    Mailbox.objects.filter(pk=change.mailbox_id).update(suspended_at=timezone.now())
    actor, address = actor_of(change), change.mailbox.address
    entries = withdraw_all_of(
        mailboxes=[change.mailbox], actor=actor, reason=SUSPENDED, what=None
    )
    if is_news and trial.opens:
        entries.append(log.note(Event.MAILBOX_SUSPENDED, actor=actor, target=address))
    elif is_news:
        entries.append(
            log.note(
                Event.MAILBOX_SUSPENDED_UNTRIED,
                actor=actor,
                target=address,
                reason=trial.reason,
            )
        )
    log.record_many(entries)
