"""Locking a mailbox and routing its mail elsewhere while it waits for its deletion.

Both are done by a worker at once. Doing either twice does no harm, so a worker that
died is simply followed by the next.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import models, transaction
from django.db.models import F
from django.utils import timezone
from django_q.tasks import async_task

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent
from purelymanage.deletions import registry
from purelymanage.deletions.models import Kind, PendingDeletion, Precaution
from purelymanage.deletions.pending import refuse_if_pending
from purelymanage.errors import Refused
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import PurelymailError, Rejected

State = Precaution.State
LEASE = timedelta(minutes=5)
PAUSE = timedelta(minutes=1)
MOST_TRIES = 10
TASK = "purelymanage.deletions.tasks.see_to_precautions"
UNDO_WHEN = ("cancelled", "refused", "failed")
LOCK_STAYS = (
    "The old password cannot come back: nobody knows it. Set a new one for its owner."
)


def ask_for(deletion: PendingDeletion, *, lock: bool, route_to: str) -> None:
    """Note what is wanted, in the transaction of the request; a worker does it."""
    if not (lock or route_to):
        return
    if deletion.kind != Kind.MAILBOX:
        raise Refused("Only a mailbox can be locked or routed elsewhere.")
    if route_to.lower() == deletion.key:
        raise Refused("Its mail has to go to another address.")
    if route_to:
        refuse_if_pending(Kind.MAILBOX, route_to.lower())
        route = registry.precaution(Precaution.Kind.ROUTE)
        if objection := route.object_to(deletion.key, route_to.lower()):
            raise Refused(objection)
    now = timezone.now()
    if lock:
        Precaution.objects.create(
            deletion=deletion, kind=Precaution.Kind.LOCK, try_after=now
        )
    if route_to:
        Precaution.objects.create(
            deletion=deletion,
            kind=Precaution.Kind.ROUTE,
            target=route_to.lower(),
            try_after=now,
        )
    async_task(TASK)


def undo_all(deletion: PendingDeletion) -> None:
    """Undo what can be undone, in the transaction that keeps the object."""
    mine = Precaution.objects.filter(deletion=deletion)
    mine.filter(state=State.ASKED, tries=0).update(state=State.UNDONE)
    begun = mine.filter(state__in=[State.ASKED, State.TAKEN])
    begun.filter(kind=Precaution.Kind.LOCK).update(state=State.KEPT, note=LOCK_STAYS)
    if begun.exclude(kind=Precaution.Kind.LOCK).update(
        state=State.UNDOING, tries=0, try_after=timezone.now()
    ):
        async_task(TASK)


def see_to(*, precaution: Precaution) -> None:
    """Do or undo one precaution, and believe it after reading back."""
    now = timezone.now()
    claimed = Precaution.objects.claimable(now).filter(
        pk=precaution.pk, state=precaution.state, tries=precaution.tries
    )
    if not claimed.order_by().update(tries=F("tries") + 1, try_after=now + LEASE):
        return
    precaution.refresh_from_db()
    handler = registry.precaution(precaution.kind)
    key, target = precaution.deletion.key, precaution.target
    try:
        client = get_client()
        if precaution.state == State.UNDOING:
            handler.undo(client, key, target, precaution.known)
            _note_undone(precaution)
            return
        if not precaution.known:
            precaution.known = handler.prepare(client, key, target)
            _mine(precaution).update(known=precaution.known)
        known = handler.take(client, key, target)
    except PurelymailError as exc:
        is_final = isinstance(exc, Rejected) and not exc.is_about_token
        _note_failure(precaution, exc, is_final=is_final)
    else:
        _note_taken(precaution, precaution.known | known)


@transaction.atomic(durable=True)
def _note_taken(precaution: Precaution, known: dict[str, object]) -> None:
    """Settle as in force, unless the deletion was given up while this was done."""
    deletion = PendingDeletion.objects.select_for_update().get(
        pk=precaution.deletion_id
    )
    is_lock = precaution.kind == Precaution.Kind.LOCK
    current = Precaution.objects.filter(pk=precaution.pk)
    if deletion.state in UNDO_WHEN:
        if not is_lock:
            current.update(
                state=State.UNDOING, known=known, tries=0, try_after=timezone.now()
            )
        else:
            current.update(state=State.KEPT, note=LOCK_STAYS)
    elif not _mine(precaution).update(state=State.TAKEN, known=known, note=""):
        return
    registry.precaution(precaution.kind).remember(
        deletion.key, precaution.target, known
    )
    if is_lock:
        log.record(
            Event.MAILBOX_LOCKED, actor=deletion.requested_by, target=deletion.key
        )
    else:
        log.record(
            Event.MAIL_ROUTED,
            actor=deletion.requested_by,
            target=deletion.key,
            to=precaution.target,
        )


@transaction.atomic(durable=True)
def _note_undone(precaution: Precaution) -> None:
    if not _mine(precaution).update(state=State.UNDONE, note=""):
        return
    registry.precaution(precaution.kind).forget(precaution.known)
    log.record(
        Event.MAIL_NOT_ROUTED_ANY_MORE,
        actor=Agent.PANEL,
        target=precaution.deletion.key,
        to=precaution.target,
    )


@transaction.atomic(durable=True)
def _note_failure(
    precaution: Precaution, error: PurelymailError, *, is_final: bool
) -> None:
    is_lock = precaution.kind == Precaution.Kind.LOCK
    is_over = is_final or precaution.tries >= MOST_TRIES
    note = error.message[:500]
    if not is_over:
        pause = PAUSE * min(precaution.tries, 10)
        _mine(precaution).update(try_after=timezone.now() + pause, note=note)
        return
    if not _mine(precaution).update(state=State.FAILED, note=note):
        return
    key = precaution.deletion.key
    deed = f"lock {key}" if is_lock else f"route the mail of {key}"
    if precaution.state == State.UNDOING:
        deed = f"remove the rule that routes the mail of {key}"
    log.record(
        Event.PRECAUTION_FAILED,
        actor=Agent.PANEL,
        target=key,
        deed=deed,
        reason=error.message,
    )


def _mine(precaution: Precaution) -> models.QuerySet[Precaution]:
    return Precaution.objects.filter(
        pk=precaution.pk, state=precaution.state, tries=precaution.tries
    )
