"""How a bulk change of rules is worked through: claimed by a lease, row by row.

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

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent
from purelymanage.domains.operations import request_sync
from purelymanage.domains.operations.syncing import syncs_held_back
from purelymanage.errors import Refused
from purelymanage.purelymail import budget
from purelymanage.purelymail.errors import PurelymailError, Rejected
from purelymanage.routing.bulk import rows
from purelymanage.routing.bulk.rows import Outcome
from purelymanage.routing.bulk.wording import domain_of, may_carry_out, outcome_of
from purelymanage.routing.models import RuleBulk, RuleBulkRow

logger = logging.getLogger(__name__)

TASK = "purelymanage.routing.tasks.run_bulk"
# Seconds, after which other tasks have their turn; far below the queue's time limit.
SLICE = 20.0
MOST_OUTAGES = 5  # in a row, before somebody is asked
MOST_TRIES = 3  # of one row, where PurelyMail does not answer
MOST_ATTEMPTS = 10  # of one row, whose workers die of it
# Calls that are left to people after each row.
LEFT_TO_PEOPLE = 0.5
LEFT_BEHIND = (
    "It was interrupted, and the rest was cancelled: look at the rule for what became "
    "of it."
)

State = RuleBulkRow.State


def hand_on(bulk: RuleBulk) -> None:
    """Queue the next slice. Its ticket is good for one claim, however often queued."""
    async_task(TASK, bulk.pk, bulk.attempt, task_name=f"rules {bulk.pk}")


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
    """Queue what no worker holds, and delete forgotten drafts; return how many run."""
    now = timezone.now()
    free = list(RuleBulk.objects.free(now))
    for bulk in free:
        hand_on(bulk)
    ended = RuleBulkRow.objects.filter(state=State.WORKING).exclude(
        bulk__state__in=[RuleBulk.State.RUNNING, RuleBulk.State.STOPPED]
    )
    ended.exclude(bulk__lease_until__gt=now).update(
        state=State.FAILED, reason=LEFT_BEHIND, settled_at=now
    )
    old = now - RuleBulk.DRAFT_LIFE
    RuleBulk.objects.drafts().filter(requested_at__lt=old).delete()
    return len(free)


def _work(bulk: RuleBulk, *, until: float) -> str:
    while _may_go_on(bulk):
        row = bulk.rows.in_turn().first()
        if row is not None and row.verdict == RuleBulkRow.Verdict.REMOVED:
            rows.request_deletions(bulk)
        elif row is not None and _take(row):
            _work_on(bulk, row)
        if not bulk.rows.open().exists():
            _finish(bulk)
            return "done"
        if time.monotonic() >= until:
            return "goes on"
    return "stopped"


def _claim(bulk_id: int, ticket: int) -> RuleBulk | None:
    now = timezone.now()
    mine = RuleBulk.objects.free(now).filter(pk=bulk_id, attempt=ticket)
    if not mine.update(attempt=F("attempt") + 1, lease_until=now + RuleBulk.LEASE):
        return None
    return RuleBulk.objects.select_related("requested_by").get(pk=bulk_id)


@transaction.atomic(durable=True)
def _let_go(bulk: RuleBulk) -> None:
    """Give up the lease, and queue the next slice where there is more to do."""
    mine = RuleBulk.objects.filter(pk=bulk.pk, attempt=bulk.attempt)
    if not mine.update(lease_until=None):
        return
    if mine.running().exists():
        hand_on(bulk)
    else:
        request_sync()


def _may_go_on(bulk: RuleBulk) -> bool:
    """Renew the lease, as long as nobody stopped it and its person may do this."""
    held = RuleBulk.objects.held_by(bulk)
    if not held.update(lease_until=timezone.now() + RuleBulk.LEASE):
        return False
    bulk.refresh_from_db(fields=["requested_by", "failures_in_a_row"])
    person = User.objects.get(pk=bulk.requested_by_id)
    if not may_carry_out(person, bulk):
        _stop(bulk, f"{person} may not do this any more. Somebody else can resume it.")
        return False
    bulk.requested_by = person
    return True


def _take(row: RuleBulkRow) -> bool:
    mine = RuleBulkRow.objects.open().filter(pk=row.pk, attempt=row.attempt)
    row.attempt += 1
    row.state = State.WORKING
    return bool(mine.update(state=row.state, attempt=row.attempt))


def _work_on(bulk: RuleBulk, row: RuleBulkRow) -> None:
    if row.attempt > MOST_ATTEMPTS:
        reason = f"It was interrupted {MOST_ATTEMPTS} times and is not tried again."
        _settle(row, Outcome(State.FAILED, reason))
        return
    try:
        outcome = rows.carry_out(bulk, row)
    except (Refused, PurelymailError) as exc:
        sentence = exc.message if isinstance(exc, PurelymailError) else str(exc)
        if _is_outage(exc):
            _put_off(bulk, row, sentence)
        else:
            _settle(row, Outcome(State.FAILED, sentence))
            _note_answer(bulk)
    except DatabaseError:
        raise
    except Exception:
        logger.exception("%s, line %s", bulk, row.number)
        _put_off(bulk, row, "The panel made a mistake. Its log says more.")
    else:
        _settle(row, outcome)
        _note_answer(bulk)
    time.sleep(LEFT_TO_PEOPLE * budget.SECONDS_A_CALL)


def _is_outage(error: Refused | PurelymailError) -> bool:
    if isinstance(error, Refused):
        return bool(getattr(error, "is_outage", False))
    return not isinstance(error, Rejected) or error.is_about_token


def _put_off(bulk: RuleBulk, row: RuleBulkRow, reason: str) -> None:
    """Leave a row for later, and stop where one after the other ends like this."""
    tries = row.tries + 1
    state = State.FAILED if tries >= MOST_TRIES else State.WAITING
    _settle(row, Outcome(state, reason), tries=tries)
    failures = F("failures_in_a_row") + 1
    RuleBulk.objects.held_by(bulk).update(failures_in_a_row=failures)
    bulk.refresh_from_db(fields=["failures_in_a_row"])
    if bulk.failures_in_a_row >= MOST_OUTAGES:
        _stop(bulk, f"{MOST_OUTAGES} rows in a row had no answer. {reason}")


def _note_answer(bulk: RuleBulk) -> None:
    if bulk.failures_in_a_row:
        RuleBulk.objects.held_by(bulk).update(failures_in_a_row=0)


def _settle(row: RuleBulkRow, outcome: Outcome, *, tries: int | None = None) -> None:
    """Note how a row went, unless another attempt has taken it over."""
    columns: dict[str, Any] = {
        "state": outcome.state,
        "reason": outcome.reason[:500],
        "settled_at": None if outcome.state == State.WAITING else timezone.now(),
    }
    if tries is not None:
        columns["tries"] = tries
    mine = RuleBulkRow.objects.filter(
        pk=row.pk, attempt=row.attempt, state=State.WORKING
    )
    mine.update(**columns)


@transaction.atomic(durable=True)
def _finish(bulk: RuleBulk) -> None:
    if RuleBulk.objects.held_by(bulk).update(
        state=RuleBulk.State.DONE,
        settled_at=timezone.now(),
        lease_until=None,
        reason="",
    ):
        log.record(
            Event.BULK_FINISHED,
            actor=Agent.PANEL,
            target=bulk.name,
            domain=domain_of(bulk),
            outcome=outcome_of(bulk.rows.by_state()),
        )


@transaction.atomic(durable=True)
def _stop(bulk: RuleBulk, reason: str) -> None:
    stopped = RuleBulk.State.STOPPED
    if RuleBulk.objects.held_by(bulk).update(state=stopped, reason=reason[:500]):
        log.record(
            Event.BULK_STOPPED,
            actor=Agent.PANEL,
            target=bulk.name,
            domain=domain_of(bulk),
            reason=reason,
        )
