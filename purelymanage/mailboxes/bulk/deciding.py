"""What people decide about a bulk change: to start, stop, resume, retry or end it.

Whatever it changes: how it is made of its parts is said by its `Work`.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.errors import Refused
from purelymanage.mailboxes.bulk.running import hand_on
from purelymanage.mailboxes.bulk.wording import domain_of, outcome_of
from purelymanage.mailboxes.bulk.work import AnyBulk, B, R, Work
from purelymanage.mailboxes.models import Bulk, BulkRow

NOT_ALLOWED = "Your role or your domains do not allow this."
TOO_LATE = "Somebody was quicker: look at what it says now."
NOTHING = "There is nothing to do: no row is left that would change anything."
NOT_WANTED = "Not begun when the rest was cancelled."
NOT_AGAIN = "Not tried again when the rest was cancelled."

State = BulkRow.State


def own_draft(work: Work[B, R], *, bulk: B, actor: User) -> B:
    """Return a draft as it is now, locked for its maker who changes or starts it."""
    drafts = work.bulks().drafts().select_for_update(of=("self",))
    held: B | None = drafts.filter(pk=bulk.pk, requested_by=actor).first()
    if held is None:
        raise Refused(TOO_LATE)
    return held


def start(work: Work[B, R], *, draft: B, actor: User, **columns: Any) -> None:
    """Let the workers do what a draft says, in the transaction that holds it."""
    check(work, draft, actor)
    count = draft.rows.waiting().count()
    if not count:
        raise Refused(NOTHING)
    _run(work, draft, started_at=timezone.now(), **columns)
    _note(Event.BULK_STARTED, draft, actor, deed=work.deed(draft, count))


@transaction.atomic(durable=True)
def stop_bulk(work: Work[B, R], *, bulk: B, actor: User) -> None:
    """Begin no further row. Whoever is at one ends it, and keeps the lease till then."""
    check(work, bulk, actor)
    running = work.bulks().running().filter(pk=bulk.pk)
    if not running.update(state=Bulk.State.STOPPED, reason=f"{actor} stopped it."):
        raise Refused(TOO_LATE)
    _note(Event.BULK_STOPPED, bulk, actor, reason="by hand")


@transaction.atomic(durable=True)
def resume_bulk(work: Work[B, R], *, bulk: B, actor: User) -> None:
    """Go on where it stopped, from now on in the name of whoever wants that."""
    held = _lock(work, bulk)
    check(work, held, actor)
    if held.state != Bulk.State.STOPPED:
        raise Refused(TOO_LATE)
    held.rows.waiting().update(tries=0)
    _run(work, held, requested_by=actor)
    _note_resumed(work, held, actor)


@transaction.atomic(durable=True)
def retry_failed(work: Work[B, R], *, bulk: B, actor: User) -> None:
    """Try what failed once more. What is done already is only looked at."""
    held = _lock(work, bulk)
    if held.state not in (Bulk.State.DONE, Bulk.State.STOPPED):
        raise Refused(TOO_LATE)
    if objection := work.object_to_retry(held):
        raise Refused(objection)
    if not held.rows.failed().update(
        state=State.WAITING, tries=0, settled_at=None, reason=""
    ):
        raise Refused("Nothing has failed.")
    # By what is open now: some rows may need more rights than others.
    check(work, held, actor)
    _run(work, held, requested_by=actor, settled_at=None)
    _note_resumed(work, held, actor)


@transaction.atomic(durable=True)
def cancel_rest(work: Work[B, R], *, bulk: B, actor: User) -> None:
    """Give up what was not begun. What was done stays as it is."""
    held = _lock(work, bulk)
    check(work, held, actor)
    if held.state not in (Bulk.State.RUNNING, Bulk.State.STOPPED):
        raise Refused(TOO_LATE)
    now = timezone.now()
    held.rows.waiting().filter(attempt=0).update(
        state=State.LEFT_OUT, reason=NOT_WANTED, settled_at=now, **work.wiped
    )
    # Tried before: PurelyMail may have done it, so a password is kept for a while.
    held.rows.waiting().filter(reason="").update(reason=NOT_AGAIN)
    held.rows.waiting().update(state=State.FAILED, settled_at=now)
    cancelled = Bulk.State.CANCELLED
    _write(work, held, state=cancelled, settled_at=now, reason="")
    _note(Event.BULK_CANCELLED, held, actor, outcome=outcome_of(held.rows.by_state()))


def check(work: Work[B, R], bulk: B, actor: User) -> None:
    if not work.may_carry_out(actor, bulk):
        raise Refused(NOT_ALLOWED)


def _lock(work: Work[B, R], bulk: B) -> B:
    held: B = work.bulks().select_for_update(of=("self",)).get(pk=bulk.pk)
    return held


def _run(work: Work[B, R], held: B, **columns: Any) -> None:
    running = Bulk.State.RUNNING
    _write(work, held, state=running, reason="", failures_in_a_row=0, **columns)
    hand_on(work, held)


def _write(work: Work[B, R], held: B, **columns: Any) -> None:
    work.bulks().filter(pk=held.pk).update(**columns)


def _note(event: Event, bulk: AnyBulk, actor: User, **details: Any) -> None:
    log.record(event, actor=actor, target=bulk.name, domain=domain_of(bulk), **details)


def _note_resumed(work: Work[B, R], bulk: B, actor: User) -> None:
    left = bulk.rows.open().count()
    _note(Event.BULK_RESUMED, bulk, actor, deed=work.deed(bulk, left))
