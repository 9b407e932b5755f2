"""Which run goes next. The table of runs is the queue; django-q only carries ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

from purelymanage.migrations.limits import Busy, Situation
from purelymanage.migrations.models import Batch, Run
from purelymanage.migrations.models.runs import RunQuerySet
from purelymanage.migrations.waiting import why_waiting

__all__ = ["dispatch", "take_back", "take_back_lost", "why_waiting"]

CLUSTER = "migrations"
TASK = "purelymanage.migrations.tasks.run_job"
LOCK = 0x51_07_5E  # any number that nobody else locks
# A worker claims what its cluster has fetched for it within a second or two.
CLAIMED_WITHIN = timedelta(seconds=15)

# Runs of the same batch between the same servers share all limits: of each such class
# as many are enough as slots are free, and of those with one pair of mailboxes only
# the first can go. Jobs without a batch are one group, as if they were a batch.
FIRST_OF_CLASSES = """
    SELECT id, pair, batch, server, destination, priority, queued_at FROM (
        SELECT *, row_number() OVER (
            PARTITION BY batch, server, destination
            ORDER BY priority DESC, queued_at, id
        ) AS place FROM (
            SELECT *, row_number() OVER (
                PARTITION BY batch, server, destination, pair
                ORDER BY priority DESC, queued_at, id
            ) AS nth FROM ({}) AS waiting
        ) AS numbered WHERE nth = 1
    ) AS placed WHERE place <= %s
"""
COLUMNS = {
    "batch": F("job__batch"),
    "server": F("job__server"),
    "destination": F("job__destination_server"),
    "priority": F("job__priority"),
}


def dispatch() -> int:
    """Hand waiting runs to the workers as far as slots are free; return how many.

    Called wherever a run begins to wait or a slot becomes free, inside the same
    transaction or after it. Whoever records as well does that first: the audit log is
    locked before the queue, never after it.
    """
    with transaction.atomic():
        _lock()
        now = timezone.now()
        situation = Situation.read(now)
        free = situation.free
        if situation.is_closed or not free:
            return 0
        line = Line(situation, _candidates(situation))
        handed = 0
        while handed < free and (candidate := line.next()):
            if _hand(candidate.run.pk, now):
                line.take(candidate)
                handed += 1
            else:
                line.pass_over(candidate)
    return handed


def take_back() -> int:
    """Take back what was handed out and not begun yet, as the rules have changed.

    What a worker is claiming this moment is left alone: it has begun.
    """
    with transaction.atomic():
        _lock()
        handed = Run.objects.queued().filter(handed_at__isnull=False)
        pks = list(
            handed.select_for_update(skip_locked=True).values_list("pk", flat=True)
        )
        return Run.objects.queued().filter(pk__in=pks).update(handed_at=None)


def take_back_one(*, pk: int, handed_at: datetime | None) -> int:
    """Take back a run whose worker died before it claimed what it was handed."""
    handed = Run.objects.queued().filter(pk=pk, handed_at__isnull=False)
    return handed.filter(handed_at=handed_at).update(handed_at=None)


def take_back_lost() -> int:
    """Take back what was handed out, not claimed, and is not in django-q's table.

    A cluster that is killed takes along what it had fetched for its workers.
    """
    before = timezone.now() - CLAIMED_WITHIN
    lost = Run.objects.queued().filter(handed_at__lt=before)
    if not lost.exists():
        return 0
    waiting = OrmQ.objects.filter(key=CLUSTER, lock__lte=timezone.now())
    known = {row.args()[0] for row in waiting if row.func() == TASK}
    return lost.exclude(pk__in=known).update(handed_at=None)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A run that waits for nothing but a slot."""

    run: Busy
    batch_priority: int
    priority: int
    queued_at: datetime

    @property
    def place(self) -> tuple[int, datetime, int]:
        """Where it stands in its group."""
        return -self.priority, self.queued_at, self.run.pk


class Line:
    """Chooses one run after the other: by priority, and fair between groups of one."""

    def __init__(self, situation: Situation, candidates: Iterable[Candidate]) -> None:
        self._situation = situation
        self._groups: dict[int | None, list[Candidate]] = defaultdict(list)
        for candidate in candidates:
            self._groups[candidate.run.batch].append(candidate)
        for group in self._groups.values():
            # The first one is at the end, where it is cheap to remove.
            group.sort(key=lambda it: it.place, reverse=True)

    def next(self) -> Candidate | None:
        heads = [head for batch in list(self._groups) if (head := self._head(batch))]
        return min(heads, key=self._turn, default=None)

    def take(self, candidate: Candidate) -> None:
        self.pass_over(candidate)
        self._situation.count(candidate.run)

    def pass_over(self, candidate: Candidate) -> None:
        self._groups[candidate.run.batch].remove(candidate)

    def _head(self, batch: int | None) -> Candidate | None:
        group = self._groups[batch]
        # What is not permitted now will not be while slots are only taken.
        while group and not self._situation.permits(group[-1].run):
            group.pop()
        return group[-1] if group else None

    def _turn(self, candidate: Candidate) -> tuple[int, int, datetime, int]:
        """Of the groups that come first, the one whose turn it is runs the fewest."""
        running = self._situation.in_batch[candidate.run.batch]
        run = candidate.run
        return -candidate.batch_priority, running, candidate.queued_at, run.pk


def _candidates(situation: Situation) -> list[Candidate]:
    """Return of each class as many of the first runs as there are free slots."""
    waiting = _open(situation).order_by()
    columns = waiting.values("id", "pair", "queued_at", **COLUMNS)
    inner, params = columns.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(FIRST_OF_CLASSES.format(inner), [*params, situation.free])
        rows = cursor.fetchall()
    batches = {
        pk: (most, priority)
        for pk, most, priority in Batch.objects.filter(
            pk__in={row[2] for row in rows}
        ).values_list("pk", "parallel_runs", "priority")
    }
    found = []
    for pk, pair, batch, server, destination, priority, queued_at in rows:
        most, batch_priority = batches.get(batch, (None, 0))
        run = Busy(pk, pair, batch, most, server, destination)
        found.append(Candidate(run, batch_priority, priority, queued_at))
    return found


def _open(situation: Situation) -> RunQuerySet:
    """Return the startable runs that nothing holds back but each other."""
    closed = situation.closed_servers()
    found = Run.objects.startable(situation.now)
    if situation.pairs:
        found = found.exclude(pair__in=situation.pairs)
    if closed:
        found = found.exclude(job__server__in=closed)
        found = found.exclude(job__destination_server__in=closed)
    if full := situation.full_batches():
        found = found.exclude(job__batch__in=full)
    return found


def _hand(pk: int, now: datetime) -> bool:
    """Hand one run out, unless somebody holds its row.

    It may have been stopped since it was read, and whoever is about to stop it may
    wait for the audit log, which this transaction may hold.
    """
    run = Run.objects.queued().filter(pk=pk, handed_at=None)
    if not run.select_for_update(skip_locked=True).exists():
        return False
    run.update(handed_at=now)
    async_task(TASK, pk, cluster=CLUSTER, task_name=f"run {pk}")
    return True


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
