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
from purelymanage.mailboxes.bulk.wording import domain_of, outcome_of
from purelymanage.mailboxes.bulk.work import B, Outcome, R, Work
from purelymanage.mailboxes.models import Bulk, BulkRow
from purelymanage.purelymail import budget
from purelymanage.purelymail.errors import PurelymailError, Rejected

logger = logging.getLogger(__name__)

# Seconds, after which other tasks have their turn; far below the queue's time limit.
SLICE = 20.0
MOST_OUTAGES = 5  # in a row, before somebody is asked
MOST_TRIES = 3  # of one row, where PurelyMail does not answer
MOST_ATTEMPTS = 10  # of one row, if its worker died of the last one
# Calls that are left to people after each row.
LEFT_TO_PEOPLE = 0.5

LEFT_BEHIND = (
    "It was interrupted, and the rest was cancelled: look at the {word} for what "
    "became of it."
)
GIVEN_UP = "It was interrupted time and again, and is not tried once more."

State = BulkRow.State


def hand_on(work: Work[B, R], bulk: B) -> None:
    """Queue the next slice. Its ticket is good for one claim, however often queued."""
    async_task(work.task, bulk.pk, bulk.attempt, task_name=bulk.name)


def run_slice(work: Work[B, R], *, bulk_id: int, ticket: int) -> str:
    """Work on a bulk change for a while. The queue may deliver this twice."""
    bulk = _claim(work, bulk_id, ticket)
    if bulk is None:
        return "somebody else's turn"
    try:
        with syncs_held_back():
            return _go_through(work, bulk, until=time.monotonic() + SLICE)
    finally:
        _let_go(work, bulk)


def sweep(work: Work[B, R]) -> int:
    """Queue what no worker holds and perhaps none was told of; return how many."""
    now = timezone.now()
    free = list(work.bulks().free(now))
    for bulk in free:
        hand_on(work, bulk)
    reason = LEFT_BEHIND.format(word=work.word)
    work.rows().left_behind(now).update(
        state=State.FAILED, reason=reason, settled_at=now
    )
    return len(free)


def _go_through(work: Work[B, R], claimed: B, *, until: float) -> str:
    while bulk := _renewed(work, claimed):
        row = bulk.rows.in_turn().first()
        if row is None:
            if _finish(work, bulk):
                return "done"
            continue
        if not work.do_together(bulk, row):
            kills = row.state == State.WORKING and row.attempt >= MOST_ATTEMPTS
            if _take(work, bulk, row):
                _work_on(work, bulk, row, is_given_up=kills)
        if time.monotonic() >= until:
            return "goes on"
    return "stopped"


def _claim(work: Work[B, R], bulk_id: int, ticket: int) -> B | None:
    now = timezone.now()
    mine = work.bulks().free(now).filter(pk=bulk_id, attempt=ticket)
    if not mine.update(attempt=F("attempt") + 1, lease_until=now + Bulk.LEASE):
        return None
    claimed: B = work.bulks().get(pk=bulk_id)
    return claimed


@transaction.atomic(durable=True)
def _let_go(work: Work[B, R], bulk: B) -> None:
    """Give up the lease, and queue the next slice where there is more to do."""
    mine = work.bulks().filter(pk=bulk.pk, attempt=bulk.attempt)
    if not mine.update(lease_until=None):
        return
    if mine.running().exists():
        hand_on(work, bulk)
    elif work.asks_purelymail(bulk):
        request_sync()


def _renewed(work: Work[B, R], claimed: B) -> B | None:
    """Renew the lease, as long as nobody stopped it and its person may do this."""
    held = work.bulks().held_by(claimed)
    if not held.update(lease_until=timezone.now() + Bulk.LEASE):
        return None
    bulk: B | None = held.select_related("requested_by").first()
    if bulk is None or work.may_carry_out(bulk.requested_by, bulk):
        return bulk
    person = bulk.requested_by
    _stop(
        work,
        bulk,
        f"{person} may not do this any more. Somebody else can resume it.",
    )
    return None


def _take(work: Work[B, R], bulk: B, row: Any) -> bool:
    """Mark a row as being done, with all that is kept before it is begun."""
    mine = work.rows().open().filter(pk=row.pk, attempt=row.attempt)
    columns = {
        "state": State.WORKING,
        "attempt": row.attempt + 1,
        **work.prepared(bulk, row),
    }
    for name, value in columns.items():
        setattr(row, name, value)
    return bool(mine.update(**columns))


def _work_on(work: Work[B, R], bulk: B, row: R, *, is_given_up: bool) -> None:
    if is_given_up:
        _settle(work, row, Outcome(State.FAILED, GIVEN_UP))
        return
    try:
        outcome = work.carry_out(bulk, row)
    except (Refused, PurelymailError) as exc:
        if not _is_outage(exc):
            _settle(work, row, Outcome(State.FAILED, _sentence(exc)))
            _note_answer(work, bulk)
        else:
            _put_off(work, bulk, row, _sentence(exc))
    except DatabaseError:
        raise
    except Exception:
        logger.exception("%s, line %s", bulk, row.number)
        _put_off(work, bulk, row, "The panel made a mistake. Its log says more.")
    else:
        _settle(work, row, outcome)
        _note_answer(work, bulk)
    if work.asks_purelymail(bulk):
        time.sleep(LEFT_TO_PEOPLE * budget.SECONDS_A_CALL)


def _is_outage(error: Refused | PurelymailError) -> bool:
    if isinstance(error, Refused):
        return bool(getattr(error, "is_outage", False))
    return not isinstance(error, Rejected) or error.is_about_token


def _sentence(error: Refused | PurelymailError) -> str:
    return error.message if isinstance(error, PurelymailError) else str(error)


def _put_off(work: Work[B, R], bulk: B, row: R, reason: str) -> None:
    """Leave a row for later, and stop where one after the other ends like this."""
    tries = row.tries + 1
    state = State.FAILED if tries >= MOST_TRIES else State.WAITING
    _settle(work, row, Outcome(state, reason, {"tries": tries}))
    held = work.bulks().held_by(bulk)
    held.update(failures_in_a_row=F("failures_in_a_row") + 1)
    if held.filter(failures_in_a_row__gte=MOST_OUTAGES).exists():
        _stop(work, bulk, f"{MOST_OUTAGES} rows in a row had no answer. {reason}")


def _note_answer(work: Work[B, R], bulk: B) -> None:
    if bulk.failures_in_a_row:
        work.bulks().held_by(bulk).update(failures_in_a_row=0)


def _settle(work: Work[B, R], row: R, outcome: Outcome) -> None:
    """Note how a row went, unless another attempt has taken it over."""
    is_over = outcome.state in (State.DONE, State.SAME)
    columns = {
        "state": outcome.state,
        "reason": outcome.reason[:500],
        "settled_at": None if outcome.state == State.WAITING else timezone.now(),
        **outcome.columns,
        **(work.wiped if is_over else {}),
    }
    mine = work.rows().filter(pk=row.pk, attempt=row.attempt, state=State.WORKING)
    mine.update(**columns)


@transaction.atomic(durable=True)
def _finish(work: Work[B, R], bulk: B) -> bool:
    """Settle a bulk change, unless somebody has just wanted rows tried again."""
    held = work.bulks().held_by(bulk)
    if held.select_for_update(of=("self",)).first() is None:
        return False
    if bulk.rows.open().exists():
        return False
    now = timezone.now()
    held.update(state=Bulk.State.DONE, settled_at=now, lease_until=None, reason="")
    log.record(
        Event.BULK_FINISHED,
        actor=Agent.PANEL,
        target=bulk.name,
        domain=domain_of(bulk),
        outcome=outcome_of(bulk.rows.by_state()),
    )
    return True


@transaction.atomic(durable=True)
def _stop(work: Work[B, R], bulk: B, reason: str) -> None:
    stopped = Bulk.State.STOPPED
    if work.bulks().held_by(bulk).update(state=stopped, reason=reason[:500]):
        log.record(
            Event.BULK_STOPPED,
            actor=Agent.PANEL,
            target=bulk.name,
            domain=domain_of(bulk),
            reason=reason,
        )
