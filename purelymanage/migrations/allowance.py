"""Leave to copy, taken from the days of both servers before anything is copied.

Copies that run at the same time share what a server may give out in a day. Each takes a
piece of it before it asks for messages, under a lock, and what it did not copy goes back
when its attempt ends. So no limit is exceeded, however many there are.

Of an attempt that was killed nobody knows what it copied after its last report. That
much stays counted, `UNREPORTED` at most; the rest of what it held goes back as well.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from purelymanage.migrations.engines.base import Leave
from purelymanage.migrations.limits import today
from purelymanage.migrations.models import Attempt, Job, Run, Server, ServerDay

UNREPORTED = 16 * 1024 * 1024
# A database that restarts is waited for, for as long as nobody else takes over.
TIMES, AGAIN_AFTER = 10, 1.0


@dataclass(frozen=True, slots=True)
class Purse:
    """Where bytes are counted: a server as a whole, or one mailbox of it."""

    server: int
    user: str
    limit: int | None


class DayAllowance:
    """What one attempt of a run may copy; see `Allowance`."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def take(self, least: int, most: int) -> Leave:
        for _ in range(TIMES - 1):
            try:
                return self._take(least, most)
            except (OperationalError, InterfaceError):
                connection.close()
                time.sleep(AGAIN_AFTER)
        return self._take(least, most)

    @transaction.atomic(durable=True)
    def _take(self, least: int, most: int) -> Leave:
        day = today(timezone.now()).date()
        attempts = Attempt.objects.filter(
            run=self._run, number=self._run.attempt, ended_at=None
        )
        if not attempts.select_for_update().exists():
            # Somebody else decides about this run by now.
            return Leave(0, 0)
        purses = purses_of(self._run.job)
        days = _locked(purses, day)
        left = _left(purses, days)
        granted = most if left is None else min(most, left)
        if granted < least:
            return Leave(0, left or 0)
        ServerDay.objects.filter(pk__in=[it.pk for it in days]).update(
            bytes=F("bytes") + granted
        )
        attempts.update(reserved=F("reserved") + granted, reserved_on=day)
        return Leave(granted, None if left is None else left - granted)


def put_back(attempt: Attempt, job: Job, *, copied: int, is_sure: bool) -> None:
    """Count what an attempt has copied instead of what it had taken leave for.

    Part of settling it, whose row is locked. The servers' rows come after it.
    """
    spent = copied
    if not is_sure:
        spent = min(attempt.reserved, copied + UNREPORTED)
    change = spent - attempt.reserved
    if not change:
        return
    day = attempt.reserved_on or today(timezone.now()).date()
    days = _locked(purses_of(job), day)
    ServerDay.objects.filter(pk__in=[it.pk for it in days]).update(
        bytes=Greatest(F("bytes") + change, 0)
    )


def largest_ever(job: Job) -> int | None:
    """Return how large a message may be to fit into any day at all."""
    limits = (it.limit for it in purses_of(job))
    return min((it for it in limits if it is not None), default=None)


def purses_of(job: Job) -> list[Purse]:
    """Return where copies of `job` are counted, in the order they are locked in."""
    ends = {job.server_id: job.source_user}
    if job.destination_server_id is not None:
        ends.setdefault(job.destination_server_id, job.destination)
    found = []
    columns = ("pk", "bytes_a_day", "bytes_a_day_each")
    limits = Server.objects.filter(pk__in=ends).order_by("pk").values_list(*columns)
    for pk, of_server, of_each in limits:
        found.append(Purse(pk, "", of_server))
        if of_each is not None:
            found.append(Purse(pk, ends[pk].lower(), of_each))
    return found


def _locked(purses: Sequence[Purse], day: date) -> list[ServerDay]:
    rows = [ServerDay(server_id=it.server, user=it.user, day=day) for it in purses]
    ServerDay.objects.bulk_create(rows, ignore_conflicts=True)
    days = ServerDay.objects.filter(
        server__in=[it.server for it in purses],
        user__in=[it.user for it in purses],
        day=day,
    )
    return list(days.select_for_update().order_by("server", "user"))


def _left(purses: Sequence[Purse], days: Sequence[ServerDay]) -> int | None:
    """Return what the tightest of the limits leaves; None without any."""
    used = {(it.server_id, it.user): it.bytes for it in days}
    left = [
        max(0, it.limit - used.get((it.server, it.user), 0))
        for it in purses
        if it.limit is not None
    ]
    return min(left, default=None)
