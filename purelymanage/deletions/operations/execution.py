"""Carrying out what is due: claim, look, call, read back, settle.

Nothing is open towards the database while PurelyMail is waited for. A worker that dies
anywhere in between leaves a lease behind, and when it ends the account is looked at.
"""

from __future__ import annotations

import time
from datetime import timedelta

from django.db import models, transaction
from django.db.models import F
from django.utils import timezone

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent, Entry
from purelymanage.deletions import clock, mails, registry
from purelymanage.deletions.impact import Account, count
from purelymanage.deletions.models import Kind, PendingDeletion
from purelymanage.deletions.operations.precautions import undo_all
from purelymanage.deletions.operations.requests import moment
from purelymanage.deletions.policy import NOTICE
from purelymanage.purelymail.client import PurelymailClient, get_client
from purelymanage.purelymail.errors import (
    NotApplied,
    NotSent,
    PurelymailError,
    Rejected,
    Unavailable,
)

State = PendingDeletion.State
# Longer than everything between two renewals may take: three lists, or call and look.
LEASE = timedelta(minutes=5)
# After a call without an answer: by then it was carried out or never will be.
SETTLING = timedelta(minutes=2)
PAUSES = (1, 5, 15, 30, 60)  # minutes
MOST_ATTEMPTS = 12
AT_ONCE = 20
PATIENCE = 20.0
OUTSIDE = "it was deleted already, outside this panel"


def execute_due(*, seconds: float = 100) -> list[PendingDeletion]:
    """Carry out what is due, as much as fits into `seconds`; return what was tried."""
    ends = time.monotonic() + seconds
    tried = []
    for deletion in PendingDeletion.objects.due(clock.now()):
        if time.monotonic() > ends:
            break
        execute_deletion(deletion=deletion)
        deletion.refresh_from_db()
        tried.append(deletion)
    return tried


def execute_deletion(*, deletion: PendingDeletion) -> None:
    """Delete one object at PurelyMail if it is due, and record how it went."""
    if not _claim(deletion):
        return
    handler = registry.handler(deletion.kind)
    try:
        client = get_client(patience=PATIENCE)
        account = registry.read_account(client)
        found = handler.impact(deletion.key, account)
        if found is None and not handler.is_gone(client, deletion.key):
            raise registry.Doubtful
    except PurelymailError as exc:
        _postpone(deletion, exc, was_asked=False)
        return
    if found is None:
        _settle(deletion, Event.DELETION_FOUND_DONE, OUTSIDE)
        return
    gained = found.gained(deletion.foreseen)
    if gained:
        _pause(deletion, gained, account)
        return

    if not _renew(deletion):
        return
    refusal, was_answered = "", True
    try:
        handler.execute(client, deletion.key)
    except NotSent as exc:
        _postpone(deletion, exc, was_asked=False)
        return
    except Rejected as exc:
        if exc.is_about_token:
            _postpone(deletion, exc, was_asked=False)
            return
        # The codes are not documented, so the list decides.
        refusal = exc.message
    except Unavailable:
        was_answered = False
    _look(deletion, client, refusal=refusal, was_answered=was_answered)


def resolve_abandoned() -> int:
    """Find out what became of deletions whose worker died or got no answer."""
    resolved = 0
    for deletion in PendingDeletion.objects.abandoned(timezone.now())[:AT_ONCE]:
        if _take_over(deletion):
            resolved += 1
            try:
                client = get_client(patience=PATIENCE)
            except PurelymailError:
                _leave(deletion)
            else:
                _look_later(deletion, client)
    return resolved


def announce_due() -> int:
    """Tell of the deletions of the coming hour; what was held up waits one hour more."""
    now = clock.now()
    announced = []
    with transaction.atomic(durable=True):
        found = PendingDeletion.objects.unannounced(now)
        found = found.select_for_update(of=("self",), skip_locked=True)
        for deletion in found.select_related("requested_by").order_by("pk"):
            # Up to some minutes late is as good as in time.
            assert deletion.delete_after is not None
            if deletion.delete_after < now + NOTICE - timedelta(minutes=5):
                deletion.delete_after = now + NOTICE
            deletion.warned_at = now
            deletion.save(update_fields=["delete_after", "warned_at"])
            announced.append(deletion)
        if announced:
            mails.tell_of_hour(announced)
        log.record_many(
            [
                _note(Event.DELETION_ANNOUNCED, it, when=moment(it.delete_after))
                for it in announced
            ]
        )
    return len(announced)


@transaction.atomic(durable=True)
def _claim(deletion: PendingDeletion) -> bool:
    """Take a deletion that is still due, unless it was cancelled or taken meanwhile."""
    now = clock.now()
    due = PendingDeletion.objects.due(now).filter(pk=deletion.pk)
    if not due.order_by().update(
        state=State.DELETING, attempt=F("attempt") + 1, lease_until=now + LEASE
    ):
        return False
    deletion.refresh_from_db()
    registry.freeze(deletion.kind, [deletion.key], Agent.PANEL)
    return True


def _take_over(deletion: PendingDeletion) -> bool:
    now = timezone.now()
    left = PendingDeletion.objects.abandoned(now).filter(
        pk=deletion.pk, attempt=deletion.attempt
    )
    if not left.order_by().update(attempt=F("attempt") + 1, lease_until=now + LEASE):
        return False
    deletion.refresh_from_db()
    return True


def _renew(deletion: PendingDeletion) -> bool:
    """Hold the claim for the call; a worker that slept too long has lost it."""
    return bool(_mine(deletion).update(lease_until=timezone.now() + LEASE))


def _look(
    deletion: PendingDeletion,
    client: PurelymailClient,
    *,
    refusal: str = "",
    was_answered: bool,
) -> None:
    """Settle by what PurelyMail has now, whatever it said before."""
    try:
        is_gone = registry.handler(deletion.kind).is_gone(client, deletion.key)
    except PurelymailError:
        _leave(deletion)
        return
    if is_gone:
        _settle(deletion, Event.DELETION_DONE)
    elif refusal:
        _settle(deletion, Event.DELETION_FAILED, f"PurelyMail refused: {refusal}")
    elif was_answered:
        _postpone(deletion, NotApplied())
    else:
        _leave(deletion)


def _look_later(deletion: PendingDeletion, client: PurelymailClient) -> None:
    try:
        is_gone = registry.handler(deletion.kind).is_gone(client, deletion.key)
    except PurelymailError:
        _leave(deletion)
        return
    if is_gone:
        _settle(deletion, Event.DELETION_DONE)
    else:
        _postpone(deletion, Unavailable("The first attempt was interrupted."))


@transaction.atomic(durable=True)
def _leave(deletion: PendingDeletion) -> None:
    """Let the account be looked at again when a lost call cannot happen any more."""
    _mine(deletion).update(
        lease_until=timezone.now() + SETTLING, note="PurelyMail did not answer."
    )


@transaction.atomic(durable=True)
def _postpone(
    deletion: PendingDeletion, error: PurelymailError, *, was_asked: bool = True
) -> None:
    """Let it wait a little longer, as it is still there; give up after many calls."""
    if deletion.attempt >= MOST_ATTEMPTS and was_asked:
        _settle_now(deletion, Event.DELETION_FAILED, error.message)
        return
    pause = PAUSES[min(deletion.attempt, len(PAUSES)) - 1]
    if _mine(deletion).update(
        state=State.WAITING,
        lease_until=None,
        delete_after=timezone.now() + timedelta(minutes=pause),
        note=error.message[:500],
    ):
        note = _note(Event.DELETION_POSTPONED, deletion, reason=error.message)
        log.record_many([note])


@transaction.atomic(durable=True)
def _pause(deletion: PendingDeletion, gained: list[str], account: Account) -> None:
    """Stop, as more would go than the people were shown; keep it for their look."""
    reason = f"{count(len(gained), 'thing')} joined since: {', '.join(gained)}"[:500]
    if _mine(deletion).update(
        state=State.PAUSED, lease_until=None, note=reason, found=account.as_json()
    ):
        deletion.refresh_from_db()
        mails.tell_of_stop(deletion)
        log.record_many([_note(Event.DELETION_PAUSED, deletion, reason=reason)])


@transaction.atomic(durable=True)
def _settle(deletion: PendingDeletion, event: Event, reason: str = "") -> None:
    _settle_now(deletion, event, reason)


def _settle_now(deletion: PendingDeletion, event: Event, reason: str = "") -> None:
    failed = event == Event.DELETION_FAILED
    note = reason[:1].upper() + reason[1:]
    if not _mine(deletion).update(
        state=State.FAILED if failed else State.DELETED,
        lease_until=None,
        settled_at=timezone.now(),
        note=note[:500],
    ):
        return
    if event == Event.DELETION_DONE:
        entries = [_note(event, deletion, person=str(deletion.requested_by))]
    else:
        entries = [_note(event, deletion, reason=reason)]
    if failed:
        undo_all(deletion)
    else:
        registry.handler(deletion.kind).forget(deletion.key)
        for companion in registry.companions():
            companion.forget(deletion.kind, deletion.key)
        if deletion.kind == Kind.DOMAIN:
            entries += _settle_what_went_along(deletion)
    # Rows first, the audit log last: others wait for both in this order.
    log.record_many(entries)


def _settle_what_went_along(domain: PendingDeletion) -> list[Entry]:
    """End the deletions of mailboxes and rules that went with their domain."""
    inside = PendingDeletion.objects.cancellable().filter(domain=domain.key)
    inside = inside.exclude(kind=Kind.DOMAIN).order_by("pk")
    reason = f"it went with {domain.label}"
    entries = []
    for deletion in inside.select_for_update():
        deletion.state = State.DELETED
        deletion.settled_at = timezone.now()
        deletion.delete_after = deletion.delete_after or deletion.settled_at
        deletion.note = reason[:1].upper() + reason[1:]
        deletion.save(update_fields=["state", "settled_at", "delete_after", "note"])
        entries.append(_note(Event.DELETION_FOUND_DONE, deletion, reason=reason))
    return entries


def _mine(deletion: PendingDeletion) -> models.QuerySet[PendingDeletion]:
    return PendingDeletion.objects.filter(
        pk=deletion.pk, state=State.DELETING, attempt=deletion.attempt
    )


def _note(event: Event, deletion: PendingDeletion, **details: str) -> Entry:
    return log.note(
        event,
        actor=Agent.PANEL,
        target=deletion.label,
        domain=deletion.domain,
        what=deletion.name,
        diff=None,
        **details,
    )
