"""What the health page shows, in a constant number of queries and without any call."""

from __future__ import annotations

import time
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
from purelymanage.dashboard import checked, facts, machine
from purelymanage.dashboard.doctor.results import Result
from purelymanage.dashboard.facts import WORK, Vitals
from purelymanage.dashboard.findings import Finding
from purelymanage.dashboard.models import ClusterReport, ErrorKind
from purelymanage.logs import LOST_LINES
from purelymanage.migrations.models import Run
from purelymanage.purelymail.budget import KEPT_HOURS, calls_by_hour

MOST_ERRORS = 20
MOST_COPIES = 100
LATELY = timedelta(minutes=10)
KEYS_EVERY = 60.0  # seconds
# When the keys were last tested, and what was found.
_keys: tuple[float, list[Result]] | None = None


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
    errors = list(ErrorKind.objects.recent()[:MOST_ERRORS])
    key_test = _key_test() if vitals.database.is_migrated else []
    return {
        "vitals": vitals,
        "findings": [
            *_findings(vitals),
            *checked.findings([*key_test, *map(checked.room_on, disks)]),
            *_log_findings(errors, vitals.at),
        ],
        "calls": calls(calls_by_hour(), timezone.now()),
        "workers": list(_workers(vitals, reports)),
        "copies": _copies(user, reports, vitals.at),
        "queued_copies": Run.objects.visible_to(user).queued().count(),
        "errors": errors,
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
        "key_test": key_test,
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
            yield Finding(tone, sentence, checked.next_step(sentence))


def _key_test() -> list[Result]:
    """Return how the self-test of the keys goes, which is no work for every refresh."""
    global _keys
    now = time.monotonic()
    if _keys is None or now - _keys[0] > KEYS_EVERY:
        _keys = now, checked.keys()
    return _keys[1]


def _log_findings(errors: list[ErrorKind], now: datetime) -> Iterator[Finding]:
    for error in errors:
        if error.kind == LOST_LINES and now - error.last_at < LATELY:
            yield Finding(
                "attention",
                f"Log lines on {error.host} cannot be written: {error.place}.",
                "The panel works without them. Make room where its logs go.",
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
