"""What is known of the panel's own health, in one place for all who ask.

`/healthz`, the health page, `/metrics` and `manage.py doctor` say the same, as they all
read it here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from purelymanage.broker import CLUSTERS, silent_clusters
from purelymanage.dashboard import machine
from purelymanage.dashboard.asking import InTime, NoAnswer
from purelymanage.database_watch import watch
from purelymanage.domains.models import Freshness, SyncRun

PATIENCE = 1.0  # seconds for the database to answer in
# What each of the queue's clusters does.
WORK = {"default": "syncs and other short tasks", "migrations": "copies"}
# Short tasks begin within seconds; later, the workers are alive and get nowhere.
OVERDUE = timedelta(minutes=15)
SYNC_LATE = timedelta(hours=2, minutes=30)
MAIL_LATE = timedelta(minutes=30)
# Sealed links, codes of second factors and leases go by the clock.
CLOCK_OFF = timedelta(seconds=5)

# All that waits, and the clock, in one question. Mail that was given up counts a day.
SQL = """
    SELECT clock_timestamp(), current_setting('server_version'), tasks.*, mail.*
      FROM (
        SELECT coalesce(
                 json_object_agg(key, json_build_array(number, waits)), '{}'::json
               )
          FROM (
            SELECT key, count(*) AS number,
                   extract(epoch FROM clock_timestamp() - min(lock)) AS waits
              FROM django_q_ormq
             WHERE lock <= clock_timestamp()
             GROUP BY key
          ) AS queues
      ) AS tasks,
      (
        SELECT count(*) FILTER (WHERE settled_at IS NULL),
               count(*) FILTER (WHERE state = 'failed'),
               extract(epoch FROM
                 clock_timestamp() - min(queued_at) FILTER (WHERE settled_at IS NULL)
               )
          FROM audit_outgoingmail
         WHERE settled_at IS NULL OR settled_at > clock_timestamp() - interval '1 day'
      ) AS mail
"""


@dataclass(frozen=True)
class Waiting:
    """How much waits, and for how long the oldest of it."""

    count: int = 0
    oldest: timedelta | None = None

    def is_older_than(self, age: timedelta) -> bool:
        return self.oldest is not None and self.oldest > age


@dataclass(frozen=True)
class Database:
    is_reachable: bool
    is_migrated: bool = False
    version: str = ""
    # How far our clock is ahead of the database's.
    clock_ahead: timedelta = timedelta()
    reason: str = ""  # of a failure, in words for operators
    has_room: bool = True

    @property
    def clock_off(self) -> timedelta:
        return abs(self.clock_ahead)


@dataclass(frozen=True)
class Vitals:
    """What the panel needs to work at all, read in three queries."""

    database: Database
    at: datetime = field(default_factory=timezone.now)
    clusters: dict[str, bool] = field(default_factory=dict)
    tasks: dict[str, Waiting] = field(default_factory=dict)
    sync: Freshness | None = None
    mail: Waiting = Waiting()
    mail_given_up: int = 0  # within the last day

    @property
    def is_well(self) -> bool:
        return not self.problems

    @property
    def synced_at(self) -> datetime | None:
        return self.sync.synced_at if self.sync else None

    @property
    def problems(self) -> list[str]:
        """What keeps the panel from working; fit for strangers."""
        return list(self._problems())

    @property
    def warnings(self) -> list[str]:
        """What somebody should look at, while the panel works; fit for strangers."""
        return list(self._warnings())

    def _problems(self) -> Iterator[str]:
        if not self.database.is_reachable:
            yield "The database does not answer."
        elif not self.database.is_migrated:
            yield "The database is not up to date: manage.py migrate was not run."
        elif not self.database.has_room:
            yield "The database has no room left: nothing can be saved."
        for name, is_alive in self.clusters.items():
            if not is_alive:
                yield f"Nobody works on {WORK[name]}."
        # Copies wait for their turn, which may take long and is no fault.
        if self.tasks.get("default", Waiting()).is_older_than(OVERDUE):
            yield "Short tasks wait for longer than a quarter of an hour."

    def _warnings(self) -> Iterator[str]:
        if self.sync and self.sync.failed_at:
            yield "The account could not be read from PurelyMail."
        elif (synced_at := self.synced_at) and self.at - synced_at > SYNC_LATE:
            yield "The account has not been read for some hours."
        if self.mail.is_older_than(MAIL_LATE):
            yield "Mail waits for longer than half an hour."
        if self.mail_given_up:
            yield "Mail was given up within the last day."
        if self.database.clock_off > CLOCK_OFF:
            yield "The clock of this machine is not that of the database."


NO_ANSWER = Vitals(Database(is_reachable=False, reason="There was no answer in time."))
_is_migrated = False  # once true for as long as this process runs


def vitals() -> Vitals:
    """Read them from the database, which may take as long as it likes."""
    try:
        if not _migrated():
            return Vitals(Database(is_reachable=True))
        return _read()
    except DatabaseError as exc:
        return Vitals(Database(is_reachable=False, reason=str(exc).strip()))


def vitals_in_time() -> Vitals:
    """Read them within a second or so, or say that the database does not answer.

    No time limit in the database would do: it may be frozen, or out of reach, or all
    connections may be in use.
    """
    if not watch.answers(PATIENCE):
        return NO_ANSWER
    try:
        return _vitals_in_time(PATIENCE)
    except NoAnswer:
        return NO_ANSWER


def _migrated() -> bool:
    global _is_migrated
    if not _is_migrated:
        executor = MigrationExecutor(connection)
        targets = executor.loader.graph.leaf_nodes()
        _is_migrated = not executor.migration_plan(targets)
    return _is_migrated


def _read() -> Vitals:
    with connection.cursor() as cursor:
        asked_at = timezone.now()
        cursor.execute(SQL)
        answered_at = timezone.now()
        now, version, tasks, waiting, given_up, oldest = cursor.fetchone()
    # The database looked at its clock somewhere between.
    ahead = asked_at + (answered_at - asked_at) / 2 - now
    silent = silent_clusters()
    return Vitals(
        Database(
            is_reachable=True,
            is_migrated=True,
            version=version,
            clock_ahead=ahead,
            has_room=machine.database_has_room(),
        ),
        at=now,
        clusters={name: name not in silent for name in CLUSTERS},
        tasks={name: _waiting(*tasks.get(name, (0, None))) for name in CLUSTERS},
        sync=SyncRun.objects.freshness(),
        mail=_waiting(waiting, oldest),
        mail_given_up=given_up,
    )


def _waiting(count: int, seconds: float | None) -> Waiting:
    return Waiting(
        count, None if seconds is None else timedelta(seconds=float(seconds))
    )


_vitals_in_time = InTime(vitals)
