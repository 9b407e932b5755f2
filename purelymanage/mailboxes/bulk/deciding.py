"""What people decide about a bulk change: to start, stop, resume, retry or end it."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.errors import Refused
from purelymanage.mailboxes.bulk.beforehand import do_beforehand
from purelymanage.mailboxes.bulk.running import hand_on
from purelymanage.mailboxes.bulk.wording import (
    deed,
    domain_of,
    may_carry_out,
    outcome_of,
)
from purelymanage.mailboxes.models import Bulk, BulkRow

NOT_ALLOWED = "Your role or your domains do not allow this."
TOO_LATE = "Somebody was quicker: look at what it says now."
NOTHING = "There is nothing to do: no row is left that would change anything."
NOT_WANTED = "Not begun when the rest was cancelled."

State = BulkRow.State


@transaction.atomic(durable=True)
def start_bulk(*, bulk: Bulk, wishes: dict[str, Any], actor: User) -> None:
    """Let the workers do what the draft says. The cells of a file are erased."""
    _check(bulk, actor)
    held = _lock(bulk)
    if held.state != Bulk.State.DRAFT or held.requested_by_id != actor.pk:
        raise Refused(TOO_LATE)
    count = held.rows.waiting().count()
    if not count:
        raise Refused(NOTHING)
    do_beforehand(actor)
    held.wishes = {**held.wishes, **wishes}
    held.sheet = ""
    _run(held, started_at=timezone.now(), requested_by=actor)
    log.record(
        Event.BULK_STARTED,
        actor=actor,
        target=held.name,
        domain=domain_of(held),
        deed=deed(held, count),
    )


@transaction.atomic(durable=True)
def stop_bulk(*, bulk: Bulk, actor: User) -> None:
    """Begin no further row. Whoever is at one ends it, and keeps the lease till then."""
    _check(bulk, actor)
    reason = f"{actor} stopped it."
    running = Bulk.objects.running().filter(pk=bulk.pk)
    if not running.update(state=Bulk.State.STOPPED, reason=reason):
        raise Refused(TOO_LATE)
    log.record(
        Event.BULK_STOPPED,
        actor=actor,
        target=bulk.name,
        domain=domain_of(bulk),
        reason="by hand",
    )


@transaction.atomic(durable=True)
def resume_bulk(*, bulk: Bulk, actor: User) -> None:
    """Go on where it stopped, from now on in the name of whoever wants that."""
    _check(bulk, actor)
    held = _lock(bulk)
    if held.state != Bulk.State.STOPPED:
        raise Refused(TOO_LATE)
    held.rows.waiting().update(tries=0)
    _run(held, requested_by=actor)
    _note_resumed(held, actor)


@transaction.atomic(durable=True)
def retry_failed(*, bulk: Bulk, actor: User) -> None:
    """Try what failed once more, with the passwords that were made for it."""
    _check(bulk, actor)
    held = _lock(bulk)
    if held.state not in (Bulk.State.DONE, Bulk.State.STOPPED):
        raise Refused(TOO_LATE)
    if held.kind == Bulk.Kind.DELETE:
        raise Refused("Choose the mailboxes again, to see again what goes with them.")
    if not held.rows.failed().update(
        state=State.WAITING, tries=0, settled_at=None, reason=""
    ):
        raise Refused("Nothing has failed.")
    _run(held, requested_by=actor, settled_at=None)
    _note_resumed(held, actor)


@transaction.atomic(durable=True)
def cancel_rest(*, bulk: Bulk, actor: User) -> None:
    """Give up what was not begun. What was done stays as it is."""
    _check(bulk, actor)
    held = _lock(bulk)
    if held.state not in (Bulk.State.RUNNING, Bulk.State.STOPPED):
        raise Refused(TOO_LATE)
    now = timezone.now()
    held.rows.waiting().filter(attempt=0).update(
        state=State.LEFT_OUT, reason=NOT_WANTED, settled_at=now, secret=""
    )
    # Tried before: PurelyMail may have done it, so the password is kept for a while.
    held.rows.waiting().update(state=State.FAILED, settled_at=now)
    held.state, held.settled_at, held.reason = Bulk.State.CANCELLED, now, ""
    held.save(update_fields=["state", "settled_at", "reason"])
    log.record(
        Event.BULK_CANCELLED,
        actor=actor,
        target=held.name,
        domain=domain_of(held),
        outcome=outcome_of(held.rows.by_state()),
    )


def _check(bulk: Bulk, actor: User) -> None:
    if not may_carry_out(actor, bulk):
        raise Refused(NOT_ALLOWED)


def _lock(bulk: Bulk) -> Bulk:
    return Bulk.objects.select_for_update().get(pk=bulk.pk)


def _run(bulk: Bulk, **columns: Any) -> None:
    columns |= {"state": Bulk.State.RUNNING, "reason": "", "failures_in_a_row": 0}
    for name, value in columns.items():
        setattr(bulk, name, value)
    bulk.save(update_fields=[*columns, "wishes", "sheet"])
    hand_on(bulk)


def _note_resumed(bulk: Bulk, actor: User) -> None:
    log.record(
        Event.BULK_RESUMED,
        actor=actor,
        target=bulk.name,
        domain=domain_of(bulk),
        deed=deed(bulk, bulk.rows.open().count()),
    )
