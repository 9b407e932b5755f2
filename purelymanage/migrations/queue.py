"""Which run goes next. The table of runs is the queue; django-q only carries ids."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

from purelymanage.migrations.models import Run

CLUSTER = "migrations"
TASK = "purelymanage.migrations.tasks.run_job"
LOCK = 0x51_07_5E  # any number that nobody else locks
# A worker that is there claims what it was handed within a second or two.
CLAIMED_WITHIN = timedelta(seconds=45)


def slots() -> int:
    """Return how many copies may run at once."""
    workers: int = settings.Q_CLUSTER["ALT_CLUSTERS"][CLUSTER]["workers"]
    return workers


def dispatch() -> int:
    """Hand waiting runs to the workers as far as slots are free; return how many.

    Called wherever a run begins to wait or a slot becomes free, inside the same
    transaction or after it.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        now = timezone.now()
        busy = set(Run.objects.busy().values_list("pair", flat=True))
        free = slots() - len(busy)
        handed = 0
        waiting = Run.objects.startable(now).values_list("pk", "pair")
        for pk, pair in waiting.exclude(pair__in=busy).iterator(chunk_size=100):
            if handed >= free:
                break
            if pair in busy:
                continue
            busy.add(pair)
            # The row may have been stopped since it was read. Whoever is about to stop
            # it may wait for the audit log, which this transaction may hold.
            run = Run.objects.startable(now).filter(pk=pk)
            is_free = run.select_for_update(skip_locked=True).exists()
            if is_free and run.update(handed_at=now):
                async_task(TASK, pk, cluster=CLUSTER, task_name=f"run {pk}")
                handed += 1
    return handed


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
