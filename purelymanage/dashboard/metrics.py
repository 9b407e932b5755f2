"""The panel's health for Prometheus, read from the database at each scrape.

So it is the same whichever process answers, and nothing is lost with one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import DatabaseError
from django.db.models import Count, Sum
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from purelymanage.dashboard import facts, machine
from purelymanage.dashboard.asking import InTime, NoAnswer
from purelymanage.dashboard.facts import NO_ANSWER, Vitals, vitals
from purelymanage.dashboard.models import ClusterReport, ErrorKind
from purelymanage.database_watch import watch
from purelymanage.migrations.models import Run
from purelymanage.purelymail.budget import calls_by_hour

PATIENCE = 5.0  # seconds; a scrape waits for ten by default
PREFIX = "purelymanage_"


@dataclass(frozen=True)
class Reading:
    """What the database says, as far as it answers."""

    vitals: Vitals
    copies: dict[str, int] = field(default_factory=dict)
    reports: list[ClusterReport] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)


def read() -> Reading:
    found = vitals()
    if not found.database.is_migrated:
        return Reading(found)
    open_runs = Run.objects.open().order_by().values_list("state")
    kinds = ErrorKind.objects.order_by().values_list("kind")
    try:
        return Reading(
            found,
            copies=dict(open_runs.annotate(Count("pk"))),
            reports=list(ClusterReport.objects.alive(found.at)),
            errors=dict(kinds.annotate(Sum("count"))),
            calls=calls_by_hour(1)[0],
        )
    except DatabaseError:
        return Reading(NO_ANSWER)


def read_in_time() -> Reading:
    # As /healthz does, or they would tell different things of the same moment.
    if not watch.answers(facts.PATIENCE):
        return Reading(NO_ANSWER)
    try:
        return _read_in_time(PATIENCE)
    except NoAnswer:
        return Reading(NO_ANSWER)


class PanelCollector(Collector):
    """Says one reading in the words of Prometheus."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def collect(self) -> Iterator[Metric]:
        yield from self._machine()
        found = self._reading.vitals
        yield gauge("healthy", "Whether /healthz answers 200.", found.is_well)
        database = found.database
        yield gauge("database_up", "Whether it answers.", database.is_reachable)
        if not database.is_reachable:
            return
        yield gauge(
            "database_migrated",
            "Whether its schema is that of this version.",
            database.is_migrated,
        )
        if database.is_migrated:
            yield from self._vitals()
            yield from self._work()

    def _machine(self) -> Iterator[Metric]:
        versions = {it.lower(): words for it, words in machine.versions().items()}
        if words := self._reading.vitals.database.version:
            versions["postgresql"] = words
        info = InfoMetricFamily(f"{PREFIX}versions", "Of the panel and what it uses.")
        info.add_metric([], versions)
        yield info
        free = labelled("disk_free_bytes", "Of the disks that it writes to.", "path")
        size = labelled("disk_size_bytes", "Of the disks that it writes to.", "path")
        for disk in machine.disks():
            free.add_metric([str(disk.path)], disk.free)
            size.add_metric([str(disk.path)], disk.total)
        yield free
        yield size

    def _vitals(self) -> Iterator[Metric]:
        found = self._reading.vitals
        yield gauge(
            "clock_ahead_seconds",
            "How far the clock of this machine is ahead of the database's.",
            found.database.clock_ahead.total_seconds(),
        )
        alive = labelled("cluster_up", "Whether workers were heard of.", "cluster")
        waiting = labelled("tasks_waiting", "Tasks that wait for a worker.", "cluster")
        oldest = labelled("task_oldest_seconds", "The longest waiting one.", "cluster")
        for name, is_alive in found.clusters.items():
            alive.add_metric([name], is_alive)
            waiting.add_metric([name], found.tasks[name].count)
            oldest.add_metric([name], seconds(found.tasks[name].oldest))
        yield from (alive, waiting, oldest)
        yield gauge("mail_waiting", "Mails that wait to be sent.", found.mail.count)
        yield gauge(
            "mail_oldest_seconds",
            "The longest waiting one.",
            seconds(found.mail.oldest),
        )
        yield gauge(
            "mail_given_up", "Mails given up within a day.", found.mail_given_up
        )
        if found.sync is not None:
            yield gauge(
                "sync_failed",
                "Whether the last reading of the account failed.",
                found.sync.failed_at is not None,
            )
        if found.synced_at is not None:
            yield gauge(
                "sync_timestamp_seconds",
                "When the account was read.",
                found.synced_at.timestamp(),
            )

    def _work(self) -> Iterator[Metric]:
        copies = labelled("copies", "Copies of mailboxes that are not done.", "state")
        for state in (Run.State.RUNNING, Run.State.QUEUED):
            copies.add_metric([state], self._reading.copies.get(state, 0))
        yield copies
        memory = labelled(
            "cluster_memory_bytes", "What its processes take.", "cluster", "host"
        )
        number = labelled(
            "cluster_processes", "How many processes it has.", "cluster", "host"
        )
        for (cluster, host), reports in self._by_host().items():
            memory.add_metric([cluster, host], sum(it.memory for it in reports))
            number.add_metric([cluster, host], sum(it.processes for it in reports))
        yield from (memory, number)
        calls = CounterMetricFamily(
            f"{PREFIX}purelymail_calls",
            "Calls to PurelyMail; counted anew each hour.",
            labels=["operation"],
        )
        for operation, count in sorted(self._reading.calls.items()):
            calls.add_metric([operation], count)
        yield calls
        errors = CounterMetricFamily(
            f"{PREFIX}errors", "Errors that the panel did not foresee.", labels=["kind"]
        )
        for kind, count in sorted(self._reading.errors.items()):
            errors.add_metric([kind], count)
        yield errors

    def _by_host(self) -> dict[tuple[str, str], list[ClusterReport]]:
        found: dict[tuple[str, str], list[ClusterReport]] = {}
        for report in self._reading.reports:
            found.setdefault((report.cluster, report.host), []).append(report)
        return found


def gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{PREFIX}{name}", words, value=float(value))


def labelled(name: str, words: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}{name}", words, labels=labels)


def seconds(age: timedelta | None) -> float:
    return age.total_seconds() if age else 0.0


_read_in_time = InTime(read)
