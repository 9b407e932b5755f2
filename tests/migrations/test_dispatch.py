"""The queue against a reference that looks at every run and every rule."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.migrations import queue
from purelymanage.migrations.limits import today
from purelymanage.migrations.models import (
    Batch,
    Job,
    QueueRules,
    Run,
    Server,
    ServerDay,
)
from tests.migrations.waiting_runs import WithRuns

NOW = timezone.now()


@dataclass(frozen=True)
class Waiting:
    """A run as the reference knows it; its number is its place in the queue."""

    number: int
    batch: int | None
    servers: frozenset[int]
    pair: str
    priority: int
    is_due: bool
    is_running: bool


@dataclass(frozen=True)
class World:
    slots: int
    server_limits: dict[int, int | None]
    used_up: frozenset[int]
    batch_limits: dict[int, int | None]
    batch_priorities: dict[int, int]
    held_batches: frozenset[int]


def reference(world: World, runs: list[Waiting]) -> list[int]:
    """Return which runs are handed out, one after the other, by asking every rule."""
    busy = [run for run in runs if run.is_running]
    handed: list[int] = []
    while len(busy) < world.slots:
        may = [run for run in runs if run not in busy and _may(world, run, busy)]
        if not may:
            break
        running = Counter(run.batch for run in busy)

        def turn(run: Waiting) -> tuple[int, int, int, int]:
            in_group = [it for it in may if it.batch == run.batch]  # noqa: B023
            first = min(in_group, key=lambda it: (-it.priority, it.number))
            priority = world.batch_priorities.get(run.batch or 0, 0)
            return -priority, running[run.batch], first.number, -run.priority  # noqa: B023

        chosen = min(may, key=lambda run: (turn(run), run.number))
        handed.append(chosen.number)
        busy.append(chosen)
    return handed


def _may(world: World, run: Waiting, busy: list[Waiting]) -> bool:
    if not run.is_due or run.batch in world.held_batches:
        return False
    if any(run.pair == it.pair for it in busy):
        return False
    for server in run.servers:
        most = world.server_limits[server]
        if server in world.used_up:
            return False
        if most is not None and sum(server in it.servers for it in busy) >= most:
            return False
    most = world.batch_limits.get(run.batch or 0)
    return most is None or sum(run.batch == it.batch for it in busy) < most


limits = st.none() | st.integers(1, 3)
jobs = st.fixed_dictionaries(
    {
        "batch": st.none() | st.integers(0, 2),
        "source": st.integers(0, 2),
        "destination": st.none() | st.integers(0, 2),
        "user": st.integers(0, 9),
        "priority": st.sampled_from([0, 0, 0, 1]),
        "put_off": st.sampled_from([False, False, False, True]),
        "starts_later": st.sampled_from([False, False, False, True]),
        "is_running": st.sampled_from([False, False, False, True]),
    }
)


class ReferenceTests(HypothesisTestCase):
    @settings(
        max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    @given(
        slots=st.integers(1, 6),
        server_limits=st.lists(limits, min_size=3, max_size=3),
        used_up=st.sets(st.integers(0, 2), max_size=1),
        batch_limits=st.lists(limits, min_size=3, max_size=3),
        batch_priorities=st.lists(
            st.sampled_from([0, 0, 1, -1]), min_size=3, max_size=3
        ),
        held=st.sets(st.integers(0, 2), max_size=1),
        wishes=st.lists(jobs, min_size=4, max_size=14),
    )
    def test_it_chooses_as_somebody_would_who_looks_at_everything(
        self,
        *,
        slots: int,
        server_limits: list[int | None],
        used_up: set[int],
        batch_limits: list[int | None],
        batch_priorities: list[int],
        held: set[int],
        wishes: list[dict[str, Any]],
    ) -> None:
        adam = User.objects.create_user("adam@example.org", None, role=Role.ADMIN)
        servers = [
            Server.objects.create(
                name=f"s{n}",
                host=f"s{n}.example",
                parallel_runs=most,
                bytes_a_day=1000,
                created_by=adam,
            )
            for n, most in enumerate(server_limits)
        ]
        for n in used_up:
            day = today(timezone.now()).date()
            ServerDay.objects.create(server=servers[n], day=day, bytes=1000)
        batches = [
            Batch.objects.create(
                name=f"b{n}",
                server=servers[0],
                parallel_runs=most,
                priority=batch_priorities[n],
                confirmed_at=NOW,
                paused_at=NOW if n in held else None,
                created_by=adam,
            )
            for n, most in enumerate(batch_limits)
        ]
        later = NOW + timedelta(hours=1)
        runs, found, pairs = [], {}, set()
        for number, wish in enumerate(wishes):
            into = wish["destination"]
            ends = {servers[wish["source"]].pk} | (
                set() if into is None else {servers[into].pk}
            )
            job = Job.objects.create(
                server=servers[wish["source"]],
                source_user=f"user{wish['user']}",
                destination="box@shop.example",
                destination_server=None if into is None else servers[into],
                batch=None if wish["batch"] is None else batches[wish["batch"]],
                priority=wish["priority"],
                starts_at=later if wish["starts_later"] else None,
                created_by=adam,
            )
            # The database itself refuses a second one.
            is_running = wish["is_running"] and job.pair not in pairs
            if is_running:
                pairs.add(job.pair)
            run = Run.objects.create(
                job=job,
                pair=job.pair,
                dry_run=True,
                queued_at=NOW + timedelta(seconds=number),
                not_before=later if wish["put_off"] else None,
                state="running" if is_running else "queued",
                lease_until=later if is_running else None,
            )
            found[run.pk] = number
            runs.append(
                Waiting(
                    number=number,
                    batch=job.batch_id,
                    servers=frozenset(ends),
                    pair=job.pair,
                    priority=wish["priority"],
                    is_due=not wish["put_off"] and not wish["starts_later"],
                    is_running=is_running,
                )
            )
        QueueRules.objects.create(pk=1, parallel_runs=slots)
        world = World(
            slots=slots,
            server_limits={it.pk: it.parallel_runs for it in servers},
            used_up=frozenset(servers[n].pk for n in used_up),
            batch_limits={it.pk: it.parallel_runs for it in batches},
            batch_priorities={it.pk: it.priority for it in batches},
            held_batches=frozenset(batches[n].pk for n in held),
        )

        queue.dispatch()
        handed = Run.objects.filter(handed_at__isnull=False).values_list(
            "pk", flat=True
        )
        self.assertEqual(
            sorted(found[pk] for pk in handed), sorted(reference(world, runs))
        )
        self.assertEqual(queue.dispatch(), 0, "what was free has been filled")


class LimitTests(WithRuns):
    def test_batches_take_turns(self) -> None:
        self.slots(4)
        one, two = self.add_batch("one"), self.add_batch("two")
        for name in "abcd":
            self.add(f"one-{name}", {"batch": one})
        for name in "ab":
            self.add(f"two-{name}", {"batch": two})
        self.add("alone")
        queue.dispatch()
        self.assertEqual(self.handed(), ["one-a", "one-b", "two-a", "alone"])

    def test_the_higher_priority_goes_first(self) -> None:
        self.slots(2)
        urgent = self.add_batch("urgent", priority=5)
        self.add("first", {"batch": self.add_batch("usual")})
        self.add("second", {"batch": urgent})
        self.add("third", {"batch": urgent, "priority": 1})
        queue.dispatch()
        self.assertEqual(self.handed(), ["second", "third"])

    def test_a_server_counts_on_either_side(self) -> None:
        busy = self.add_server("Busy", parallel_runs=1)
        self.add("from", {"server": busy})
        self.add("into", {"destination_server": busy})
        self.add("other")
        queue.dispatch()
        self.assertEqual(self.handed(), ["from", "other"])

    def test_a_draft_and_a_batch_of_tomorrow_wait(self) -> None:
        tomorrow = timezone.now() + timedelta(days=1)
        self.add("draft", {"batch": self.add_batch("draft", confirmed_at=None)})
        self.add("later", {"batch": self.add_batch("later", starts_at=tomorrow)})
        self.add("paused", {"batch": self.add_batch("paused", paused_at=NOW)})
        self.add("own date", {"starts_at": tomorrow})
        self.add("removed", {"removed_at": NOW})
        self.assertEqual(queue.dispatch(), 0)
        Batch.objects.update(starts_at=None, paused_at=None, confirmed_at=NOW)
        self.assertEqual(queue.dispatch(), 3)

    def test_any_number_that_wait_take_as_many_queries(self) -> None:
        """How long ten thousand take is told by `tests.benchmarks.small`."""
        self.slots(20)
        batches = [self.add_batch(f"b{n}") for n in range(20)]
        counts = []
        for number in (40, 400):
            Run.objects.all().delete()
            Job.objects.all().delete()
            Job.objects.bulk_create(
                Job(
                    server=self.server,
                    source_user=f"user{n}",
                    destination=f"box{n}@shop.example",
                    batch=batches[n % 20],
                    created_by=self.adam,
                )
                for n in range(number)
            )
            Run.objects.bulk_create(
                Run(job=job, pair=job.pair, dry_run=True)
                for job in Job.objects.select_related("server", "destination_server")
            )
            with CaptureQueriesContext(connection) as all_at_once:
                self.assertEqual(queue.dispatch(), 20)
            taken = Run.objects.filter(handed_at__isnull=False)
            self.assertEqual(taken.values("job__batch").distinct().count(), 20)

            Run.objects.filter(pk=taken.earliest("pk").pk).update(
                state="stopped", handed_at=None, finished_at=NOW
            )
            with CaptureQueriesContext(connection) as one:
                self.assertEqual(queue.dispatch(), 1)
            with CaptureQueriesContext(connection) as none:
                self.assertEqual(queue.dispatch(), 0)
            counts.append([len(it) for it in (all_at_once, one, none)])
        self.assertEqual(counts[0], counts[1])


class TwoAtOnceTests(TransactionTestCase):
    def test_two_that_dispatch_at_once_exceed_nothing(self) -> None:
        adam = User.objects.create_user("adam@example.org", None, role=Role.ADMIN)
        server = Server.objects.create(
            name="Old", host="old.example", parallel_runs=3, created_by=adam
        )
        for n in range(30):
            job = Job.objects.create(
                server=server,
                source_user=f"user{n}",
                destination="box@shop.example",
                created_by=adam,
            )
            Run.objects.create(job=job, pair=job.pair, dry_run=True)
        QueueRules.objects.create(pk=1, parallel_runs=5)
        handed: list[int] = []
        together = threading.Barrier(6)

        def dispatch() -> None:
            together.wait()
            try:
                handed.append(queue.dispatch())
            finally:
                connection.close()

        threads = [threading.Thread(target=dispatch) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sum(handed), 3)
        self.assertEqual(Run.objects.busy().count(), 3)
