"""How a bulk change is worked through: claimed by a lease, row by row, in slices.

A worker that dies leaves its lease to run out and one row in work. Whoever follows
begins with that row, by looking at what became of it.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone
from django_q.tasks import async_task

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent
from purelymanage.domains.operations import request_sync
from purelymanage.domains.operations.syncing import syncs_held_back
from purelymanage.errors import Refused
from purelymanage.mailboxes.bulk import rows
from purelymanage.mailboxes.bulk.rows import Outcome
from purelymanage.mailboxes.bulk.wording import domain_of, may_carry_out, outcome_of
from purelymanage.mailboxes.models import Bulk, BulkRow
from purelymanage.purelymail import budget
from purelymanage.purelymail.errors import PurelymailError, Rejected

logger = logging.getLogger(__name__)

TASK = "purelymanage.mailboxes.bulk.tasks.run_bulk"
# Seconds, after which other tasks have their turn; far below the queue's time limit.
SLICE = 20.0
MOST_OUTAGES = 5  # in a row, before somebody is asked
MOST_TRIES = 3  # of one row, where PurelyMail does not answer
MOST_ATTEMPTS = 10  # of one row, whose workers die of it
# Calls that are left to people after each row.
LEFT_TO_PEOPLE = 0.5

LEFT_BEHIND = (
    "It was interrupted, and the rest was cancelled: look at the mailbox for what "
    "became of it."
)

State = BulkRow.State


def hand_on(bulk: Bulk) -> None:
    """Queue the next slice. Its ticket is good for one claim, however often queued."""
    async_task(TASK, bulk.pk, bulk.attempt, task_name=f"bulk {bulk.pk}")


def run_slice(*, bulk_id: int, ticket: int) -> str:
    """Work on a bulk change for a while. The queue may deliver this twice."""
    bulk = _claim(bulk_id, ticket)
    if bulk is None:
        return "somebody else's turn"
    try:
        with syncs_held_back():
            return _work(bulk, until=time.monotonic() + SLICE)
    finally:
        _let_go(bulk)


def sweep() -> int:
    """Queue what no worker holds and perhaps none was told of; return how many."""
    now = timezone.now()
    free = list(Bulk.objects.free(now))
    for bulk in free:
        hand_on(bulk)
    BulkRow.objects.left_behind(now).update(
        state=State.FAILED, reason=LEFT_BEHIND, settled_at=now
    )
    return len(free)


def _work(bulk: Bulk, *, until: float) -> str:
    while _may_go_on(bulk):
        if bulk.kind == Bulk.Kind.DELETE:
            rows.request_deletions(bulk)
        row = bulk.rows.in_turn().first()
        if row is None:
            _finish(bulk)
            return "done"
        if _take(bulk, row):
            _work_on(bulk, row)
        if time.monotonic() >= until:
            return "goes on"
    return "stopped"


def _claim(bulk_id: int, ticket: int) -> Bulk | None:
    now = timezone.now()
    mine = Bulk.objects.free(now).filter(pk=bulk_id, attempt=ticket)
    if not mine.update(attempt=F("attempt") + 1, lease_until=now + Bulk.LEASE):
        return None
    return Bulk.objects.select_related("requested_by").get(pk=bulk_id)


@transaction.atomic(durable=True)
def _let_go(bulk: Bulk) -> None:
    """Give up the lease, and queue the next slice where there is more to do."""
    mine = Bulk.objects.filter(pk=bulk.pk, attempt=bulk.attempt)
    if not mine.update(lease_until=None):
        return
    if mine.running().exists():
        hand_on(bulk)
    elif bulk.kind != Bulk.Kind.TAG:
        request_sync()


def _may_go_on(bulk: Bulk) -> bool:
    """Renew the lease, as long as nobody stopped it and its person may do this."""
    held = Bulk.objects.held_by(bulk)
    if not held.update(lease_until=timezone.now() + Bulk.LEASE):
        return False
    now = Bulk.objects.select_related("requested_by").get(pk=bulk.pk)
    person = now.requested_by
    bulk.requested_by, bulk.failures_in_a_row = person, now.failures_in_a_row
    if not may_carry_out(person, bulk):
        _stop(bulk, f"{person} may not do this any more. Somebody else can resume it.")
        return False
    return True


def _take(bulk: Bulk, row: BulkRow) -> bool:
    """Mark a row as being done; its password is kept before it is used."""
    row.bulk = bulk
    mine = BulkRow.objects.open().filter(pk=row.pk, attempt=row.attempt)
    row.attempt += 1
    row.state = State.WORKING
    row.started_at = row.started_at or timezone.now()
    row.secret = rows.seal_password(row)
    return bool(
        mine.update(
            attempt=row.attempt,
            state=row.state,
            started_at=row.started_at,
            secret=row.secret,
        )
    )


def _work_on(bulk: Bulk, row: BulkRow) -> None:
    if row.attempt > MOST_ATTEMPTS:
        reason = f"It was interrupted {MOST_ATTEMPTS} times and is not tried again."
        _settle(row, Outcome(State.FAILED, reason))
        return
    try:
        outcome = rows.carry_out(bulk, row)
    except (Refused, PurelymailError) as exc:
        if not _is_outage(exc):
            _settle(row, Outcome(State.FAILED, _sentence(exc)))
            _note_answer(bulk)
        else:
            _put_off(bulk, row, _sentence(exc))
    except DatabaseError:
        raise
    except Exception:
        logger.exception("%s, line %s", bulk, row.number)
        _put_off(bulk, row, "The panel made a mistake. Its log says more.")
    else:
        _settle(row, outcome)
        _note_answer(bulk)
    if bulk.kind != Bulk.Kind.TAG:
        time.sleep(LEFT_TO_PEOPLE * budget.SECONDS_A_CALL)


def _is_outage(error: Refused | PurelymailError) -> bool:
    if isinstance(error, Refused):
        return bool(getattr(error, "is_outage", False))
    return not isinstance(error, Rejected) or error.is_about_token


def _sentence(error: Refused | PurelymailError) -> str:
    return error.message if isinstance(error, PurelymailError) else str(error)


def _put_off(bulk: Bulk, row: BulkRow, reason: str) -> None:
    """Leave a row for later, and stop where one after the other ends like this."""
    tries = row.tries + 1
    state = State.FAILED if tries >= MOST_TRIES else State.WAITING
    _settle(row, Outcome(state, reason), tries=tries)
    Bulk.objects.held_by(bulk).update(failures_in_a_row=F("failures_in_a_row") + 1)
    bulk.refresh_from_db(fields=["failures_in_a_row"])
    if bulk.failures_in_a_row >= MOST_OUTAGES:
        _stop(bulk, f"{MOST_OUTAGES} rows in a row had no answer. {reason}")


def _note_answer(bulk: Bulk) -> None:
    if bulk.failures_in_a_row:
        Bulk.objects.held_by(bulk).update(failures_in_a_row=0)


def _settle(row: BulkRow, outcome: Outcome, *, tries: int | None = None) -> None:
    """Note how a row went, unless another attempt has taken it over."""
    is_over = outcome.state in (State.DONE, State.SAME)
    columns: dict[str, Any] = {
        "state": outcome.state,
        "reason": outcome.reason[:500],
        "settled_at": None if outcome.state == State.WAITING else timezone.now(),
    }
    if outcome.hand_over is not None:
        columns["hand_over"] = outcome.hand_over
    if is_over:
        columns["secret"] = ""
    if tries is not None:
        columns["tries"] = tries
    mine = BulkRow.objects.filter(pk=row.pk, attempt=row.attempt, state=State.WORKING)
    mine.update(**columns)


@transaction.atomic(durable=True)
def _finish(bulk: Bulk) -> None:
    now = timezone.now()
    if Bulk.objects.held_by(bulk).update(
        state=Bulk.State.DONE, settled_at=now, lease_until=None, reason=""
    ):
        log.record(
            Event.BULK_FINISHED,
            actor=Agent.PANEL,
            target=bulk.name,
            domain=domain_of(bulk),
            outcome=outcome_of(bulk.rows.by_state()),
        )


@transaction.atomic(durable=True)
def _stop(bulk: Bulk, reason: str) -> None:
    if Bulk.objects.held_by(bulk).update(state=Bulk.State.STOPPED, reason=reason[:500]):
        log.record(
            Event.BULK_STOPPED,
            actor=Agent.PANEL,
            target=bulk.name,
            domain=domain_of(bulk),
            reason=reason,
        )
