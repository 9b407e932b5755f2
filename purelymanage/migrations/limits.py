"""What holds copies back, as it is right now: limits, hours and budgets of a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, Self

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from purelymanage.migrations.models import (
    Job,
    QueueRules,
    Run,
    Server,
    ServerDay,
    SignIn,
)
from purelymanage.migrations.together import read_together


def rest_until(start: time | None, end: time | None, at: datetime) -> datetime | None:
    """Return when the pause ends that `at` lies in, or None if it lies in none."""
    if start is None or end is None or start == end:
        return None
    local = timezone.localtime(at)
    clock = local.time()
    over_night = start > end
    inside = clock >= start or clock < end if over_night else start <= clock < end
    if not inside:
        return None
    day = local.date() if clock < end else local.date() + timedelta(days=1)
    return timezone.make_aware(datetime.combine(day, end))


def next_day(at: datetime) -> datetime:
    """Return when the budgets of a day begin anew: days are those of UTC."""
    tomorrow = at.astimezone(UTC).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), UTC)


def today(at: datetime) -> datetime:
    return next_day(at) - timedelta(days=1)


SERVER_COLUMNS = (
    "pk",
    "name",
    "parallel_runs",
    "bytes_a_day",
    "pause_from",
    "pause_until",
    "today",
    "trials",
)
RULES = ("pk", "parallel_runs", "paused_at", "pause_from", "pause_until")


@dataclass(frozen=True, slots=True)
class ServerNow:
    """A server with limits of its own, and how much of them is taken."""

    pk: int
    name: str
    parallel_runs: int | None
    trials: int  # of logins and of owners' passwords, under way there
    bytes_a_day: int | None
    bytes_today: int
    rests_until: datetime | None
    renewed_at: datetime

    @property
    def used_up_until(self) -> datetime | None:
        """When it gives bytes again, if it has given all it may today."""
        left = self.bytes_left
        return self.renewed_at if left is not None and left <= 0 else None

    @property
    def bytes_left(self) -> int | None:
        if self.bytes_a_day is None:
            return None
        return self.bytes_a_day - self.bytes_today


def servers_now(at: datetime, pks: Iterable[int]) -> list[ServerNow]:
    """Return those of some servers that have any limit."""
    limited = _limited(at).filter(pk__in=list(pks))
    return [_server(row, at) for row in limited.values_list(*SERVER_COLUMNS)]


def _limited(at: datetime) -> QuerySet[Server]:
    days = ServerDay.objects.of_servers(today(at).date())
    days = days.filter(server=OuterRef("pk"))
    limited: QuerySet[Server] = Server.objects.filter(
        Q(parallel_runs__isnull=False)
        | Q(bytes_a_day__isnull=False)
        | Q(pause_from__isnull=False)
    ).order_by("pk")
    either = Q(server=OuterRef("pk")) | Q(destination_server=OuterRef("pk"))
    trials = Job.objects.with_login_under_way(at).filter(either).order_by()
    # All of them are in the one group of this value.
    counted = trials.values("login").annotate(count=Count("pk")).values("count")
    sign_ins = SignIn.objects.under_way(at).filter(server=OuterRef("pk")).order_by()
    held = sign_ins.values("server").annotate(count=Count("pk")).values("count")
    return limited.annotate(
        today=Coalesce(Subquery(days.values("bytes")[:1]), 0),
        trials=Coalesce(Subquery(counted), 0) + Coalesce(Subquery(held), 0),
    )


def _server(row: Sequence[Any], at: datetime) -> ServerNow:
    pk, name, most, budget, start, end, used, trying = row
    return ServerNow(
        pk=pk,
        name=name,
        parallel_runs=most,
        trials=trying,
        bytes_a_day=budget,
        bytes_today=used,
        rests_until=rest_until(_time(start), _time(end), at),
        renewed_at=next_day(at),
    )


def _time(value: time | str | None) -> time | None:
    return time.fromisoformat(value) if isinstance(value, str) else value


def servers_of(job: Job) -> list[int]:
    """Return the servers a job takes part of, in the order they are locked in."""
    ends = {job.server_id, job.destination_server_id}
    return sorted(pk for pk in ends if pk is not None)


def _rules(row: Sequence[Any] = ()) -> QueueRules:
    """Return the rules from what JSON holds of them, or those before any change."""
    if not row:
        return QueueRules()
    pk, most, paused_at, start, end = row
    return QueueRules(
        pk=pk,
        parallel_runs=most,
        paused_at=paused_at and datetime.fromisoformat(paused_at),
        pause_from=_time(start),
        pause_until=_time(end),
    )


@dataclass(frozen=True, slots=True)
class Busy:
    """A run that holds a slot."""

    pk: int
    pair: str
    batch: int | None
    batch_limit: int | None
    server: int
    destination: int | None

    @property
    def servers(self) -> set[int]:
        ends = {self.server, self.destination}
        return {pk for pk in ends if pk is not None}


@dataclass
class Situation:
    """The rules, and what is taken by the runs that hold a slot."""

    now: datetime
    rules: QueueRules
    busy: list[Busy]
    servers: dict[int, ServerNow]
    at_server: Counter[int] = field(default_factory=Counter)
    in_batch: Counter[int | None] = field(default_factory=Counter)
    pairs: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, now: datetime) -> Self:
        rows = Run.objects.busy().values_list(
            "pk",
            "pair",
            "job__batch",
            "job__batch__parallel_runs",
            "job__server",
            "job__destination_server",
        )
        queue, busy, servers = read_together(
            QueueRules.objects.values_list(*RULES),
            rows,
            _limited(now).values_list(*SERVER_COLUMNS),
        )
        situation = cls(
            now=now,
            rules=_rules(*queue),
            busy=[Busy(*row) for row in busy],
            servers={it.pk: it for it in (_server(row, now) for row in servers)},
        )
        for run in situation.busy:
            situation.count(run)
        return situation

    def count(self, run: Busy) -> None:
        self.at_server.update(run.servers)
        self.in_batch[run.batch] += 1
        self.pairs.add(run.pair)

    @property
    def rests_until(self) -> datetime | None:
        """When the pause of the whole queue ends, if it has one right now."""
        return rest_until(self.rules.pause_from, self.rules.pause_until, self.now)

    @property
    def is_closed(self) -> bool:
        """Whether nothing may begin at all."""
        return self.rules.paused_at is not None or self.rests_until is not None

    @property
    def free(self) -> int:
        return max(0, self.rules.parallel_runs - len(self.busy))

    def is_server_full(self, pk: int) -> bool:
        server = self.servers.get(pk)
        if server is None or server.parallel_runs is None:
            return False
        return self.at_server[pk] + server.trials >= server.parallel_runs

    def is_server_closed(self, pk: int) -> bool:
        server = self.servers.get(pk)
        if server is None:
            return False
        shut = server.rests_until or server.used_up_until
        return shut is not None or self.is_server_full(pk)

    def closed_servers(self) -> list[int]:
        return [pk for pk in self.servers if self.is_server_closed(pk)]

    def full_batches(self) -> list[int]:
        """Batches that run as many as they may; one that runs nothing is not full."""
        limits = {it.batch: it.batch_limit for it in self.busy}
        return [
            batch
            for batch, most in limits.items()
            if batch is not None and most is not None and self.in_batch[batch] >= most
        ]

    def permits(self, run: Busy) -> bool:
        """Whether a run that was read as startable may take a slot as well."""
        full = run.batch_limit is not None and (
            self.in_batch[run.batch] >= run.batch_limit
        )
        return (
            not full
            and run.pair not in self.pairs
            and not any(self.is_server_closed(pk) for pk in run.servers)
        )


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a copy that runs should make a pause, and until when."""

    reason: str
    until: datetime
    is_budget: bool = False


def hold_on(job: Job, at: datetime) -> Hold | None:
    """Tell whether a run of `job` has to pause: the hours came, or the day is used up."""
    rules = QueueRules.objects.present()
    if until := rest_until(rules.pause_from, rules.pause_until, at):
        return Hold("The queue rests", until)
    for server in servers_now(at, servers_of(job)):
        if server.rests_until:
            return Hold(f"{server.name} rests", server.rests_until)
        # Each copy has leave for what it copies, so that a day can only be overdrawn
        # by a limit that was lowered since.
        if server.bytes_left is not None and server.bytes_left < 0:
            reason = f"The limit of {server.name} for today is used up"
            return Hold(reason, server.renewed_at, is_budget=True)
    return None
