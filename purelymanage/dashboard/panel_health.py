"""What the health page shows, in a constant number of queries and without any call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from purelymanage import crypto
from purelymanage.accounts.models import User
from purelymanage.broker import CLUSTERS
from purelymanage.dashboard import facts, machine
from purelymanage.dashboard.facts import WORK, Vitals
from purelymanage.dashboard.findings import Finding
from purelymanage.dashboard.machine import Disk
from purelymanage.dashboard.models import ClusterReport, ErrorKind
from purelymanage.figures import in_bytes
from purelymanage.migrations.models import Run
from purelymanage.purelymail.budget import KEPT_HOURS, calls_by_hour

MOST_ERRORS = 20
MOST_COPIES = 100
# For each problem and warning of the vitals the next step, where there is one.
NEXT_STEPS = {
    "Nobody works": "Start them: manage.py qcluster, and with Q_CLUSTER_NAME=migrations "
    "for copies. What waits goes on as soon as they run.",
    "Short tasks": "Either there is more to do than the workers manage, and WORKERS "
    "should be higher, or they hang: their log says on what.",
    "The account": "The panel tries again every hour. The dashboard says why it failed.",
    "Mail waits": "EMAIL_URL says where mail goes; an owner can send a test mail from "
    "the settings of the organisation.",
    "Mail was": "The audit log names each of them with the reason.",
    "The clock": "Let both follow a time server. Codes and links go by the clock.",
}


@dataclass(frozen=True)
class Bar:
    """One hour of a picture that is 24 wide and 1 high."""

    x: float
    y: float
    height: float
    count: int


@dataclass(frozen=True)
class Operation:
    name: str
    bars: list[Bar]
    this_hour: int
    day: int


@dataclass(frozen=True)
class Calls:
    """The calls of a day to PurelyMail, hour by hour, the present one last."""

    bars: list[Bar]
    operations: list[Operation]
    most: int  # in one hour
    day: int
    this_hour: int
    begins_at: datetime


@dataclass(frozen=True)
class Workers:
    """One cluster on one host, or one that no host has."""

    name: str
    is_alive: bool
    report: ClusterReport | None = None


@dataclass(frozen=True)
class Copy:
    run: Run
    memory: int | None


def panel_health(user: User) -> dict[str, Any]:
    vitals = facts.vitals()
    reports = list(ClusterReport.objects.order_by("cluster", "host", "-heard_at"))
    disks = machine.disks()
    return {
        "vitals": vitals,
        "findings": [*_findings(vitals), *_disk_findings(disks)],
        "calls": calls(calls_by_hour(), timezone.now()),
        "workers": list(_workers(vitals, reports)),
        "copies": _copies(user, reports, vitals.at),
        "queued_copies": Run.objects.visible_to(user).queued().count(),
        "errors": ErrorKind.objects.recent()[:MOST_ERRORS],
        "disks": disks,
        "web": machine.web(),
        "database_size": _database_size(),
        "versions": {
            **machine.versions(),
            # Debian's says which package it is as well.
            "PostgreSQL": vitals.database.version.partition(" ")[0],
        },
        "imapsync": machine.imapsync(),
        "packages": machine.packages(),
        "key_ids": crypto.key_ids(),
    }


def calls(by_hour: list[Counter[str]], now: datetime) -> Calls:
    oldest_first = by_hour[::-1]
    sums = [hour.total() for hour in oldest_first]
    most = max(sums, default=0)
    names = sorted({name for hour in by_hour for name in hour})
    operations = [
        Operation(
            name,
            _bars([hour[name] for hour in oldest_first], most),
            this_hour=by_hour[0][name],
            day=sum(hour[name] for hour in by_hour),
        )
        for name in names
    ]
    return Calls(
        _bars(sums, most),
        sorted(operations, key=lambda it: (-it.day, it.name)),
        most,
        day=sum(sums),
        this_hour=sums[-1] if sums else 0,
        begins_at=now.replace(minute=0) - timedelta(hours=KEPT_HOURS - 1),
    )


def _bars(counts: list[int], most: int) -> list[Bar]:
    """Draw each hour; what was called at all is at least a hair high."""
    bars = []
    for hour, count in enumerate(counts):
        height = max(count / most, 0.06) if count else 0
        if count:
            bars.append(Bar(hour + 0.14, round(1 - height, 3), round(height, 3), count))
    return bars


def _findings(vitals: Vitals) -> Iterator[Finding]:
    for tone, sentences in (
        ("broken", vitals.problems),
        ("attention", vitals.warnings),
    ):
        for sentence in sentences:
            steps = (
                step for start, step in NEXT_STEPS.items() if sentence.startswith(start)
            )
            yield Finding(tone, sentence, next(steps, ""))


def _disk_findings(disks: list[Disk]) -> Iterator[Finding]:
    for disk in disks:
        if disk.tone != "good":
            yield Finding(
                disk.tone,
                f"Only {in_bytes(disk.free)} are free for {disk.purpose}.",
                f"Make room on the disk of {disk.path}: a full one stops the panel.",
            )


def _workers(vitals: Vitals, reports: list[ClusterReport]) -> Iterator[Workers]:
    fresh = [it for it in reports if vitals.at - it.heard_at < it.SILENT_AFTER]
    for name in CLUSTERS:
        own = [it for it in fresh if it.cluster == name]
        # The last one that there was says since when nobody works.
        lost = [it for it in reports if it.cluster == name and it not in fresh]
        for report in own:
            yield Workers(WORK[name], is_alive=True, report=report)
        if not own:
            newest = max(lost, key=lambda it: it.heard_at, default=None)
            is_alive = vitals.clusters.get(name, False)
            yield Workers(WORK[name], is_alive=is_alive, report=newest)


def _copies(user: User, reports: list[ClusterReport], now: datetime) -> list[Copy]:
    taken: dict[str, int] = {}
    for report in reports:
        if now - report.heard_at < report.SILENT_AFTER:
            taken |= report.copies
    runs = Run.objects.visible_to(user).running().select_related("job")
    shown = runs.only("host", "engine", "phase", "started_at", "job__destination")
    first = shown.order_by("started_at", "pk")[:MOST_COPIES]
    return [Copy(run, taken.get(str(run.pk))) for run in first]


def _database_size() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])
