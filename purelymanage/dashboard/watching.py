"""What the processes of the panel write down about themselves, for the health page.

None of it may disturb what is being watched: where it fails, nothing is said.
"""

from __future__ import annotations

import os
import socket
import time
from datetime import timedelta
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now

from purelymanage import error_notes
from purelymanage.dashboard import processes
from purelymanage.dashboard.models import ClusterReport, ErrorKind
from purelymanage.database_watch import watch
from purelymanage.error_notes import Note

PATIENCE = 1.0  # seconds
MOST_KINDS = 200
REPORT_EVERY = 5.0  # seconds
REPORTS_KEPT = timedelta(days=1)

UPSERT = """
    INSERT INTO dashboard_errorkind AS known
           (kind, place, count, first_at, last_at, request_id, task, host)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (kind, place) DO UPDATE SET
           count = known.count + excluded.count,
           last_at = excluded.last_at,
           request_id = excluded.request_id,
           task = excluded.task,
           host = excluded.host
"""

_reported_at = float("-inf")


def write_down_errors(**_: Any) -> None:
    """Write down which errors this process has met, once its transaction is over."""
    notes = error_notes.take()
    if not notes:
        return
    try:
        if not watch.answers(PATIENCE):
            raise OperationalError
        _write(notes)
    except Exception:  # the database may be what they are about
        error_notes.give_back(notes)


@transaction.atomic
def _write(notes: list[Note]) -> None:
    host = socket.gethostname()
    with connection.cursor() as cursor:
        # In one order, or two processes might wait for each other.
        for note in sorted(notes, key=lambda it: (it.kind, it.place)):
            kind, place = note.kind[:200], note.place[:300]
            last = (note.request_id, note.task[:200], host)
            cursor.execute(UPSERT, [kind, place, note.count, note.at, note.at, *last])
    kept = ErrorKind.objects.recent().values("pk")[:MOST_KINDS]
    ErrorKind.objects.exclude(pk__in=kept).delete()


def report(*, cluster: str, in_hand: dict[int, str], **_: Any) -> None:
    """Say which processes this cluster has and what they take, now and then."""
    global _reported_at
    now = time.monotonic()
    if now - _reported_at < REPORT_EVERY:
        return
    _reported_at = now
    # Signs of life come from a process that the cluster has started like its workers.
    pid = os.getppid()
    children = processes.tree()
    everybody = processes.family(pid, children)
    values = {
        "processes": len(everybody),
        "memory": processes.memory(everybody),
        "copies": {
            note.split()[1]: processes.memory(processes.family(worker, children))
            for worker, note in in_hand.items()
            if note.startswith("run ")
        },
        "heard_at": Now(),
    }
    ClusterReport.objects.update_or_create(
        cluster=cluster,
        host=socket.gethostname(),
        pid=pid,
        defaults=values,
        create_defaults={**values, "began_at": Now()},
    )
    ClusterReport.objects.filter(heard_at__lt=Now() - REPORTS_KEPT).delete()
