"""What copies may take of a server's day, however many there are at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import TransactionTestCase
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.migrations.allowance import UNREPORTED, DayAllowance, largest_ever
from purelymanage.migrations.engines.base import Leave
from purelymanage.migrations.limits import next_day, today
from purelymanage.migrations.models import Attempt, Job, Run, Server, ServerDay
from purelymanage.migrations.operations import runs, servers, settling
from tests.migrations.cases import ADDRESS, SMALL, MigrationTestCase
from tests.migrations.waiting_runs import WithRuns


def used() -> dict[tuple[str, str], int]:
    days = ServerDay.objects.filter(day=today(timezone.now()).date())
    return {(it.server.name, it.user): it.bytes for it in days.select_related("server")}


class AllowanceTests(WithRuns):
    def setUp(self) -> None:
        self.other = self.add_server("New")

    def limit(self, server: Server, **columns: int | None) -> None:
        Server.objects.filter(pk=server.pk).update(**columns)

    def begin(self, source: str = "a", **job: Any) -> Run:
        wishes = {"destination_server": self.other, "destination": source} | job
        run = self.add(source, wishes, handed_at=timezone.now())
        Run.objects.filter(pk=run.pk).update(dry_run=False)
        claimed = runs.claim_run(pk=run.pk, host="here.example")
        assert claimed is not None
        return claimed

    def test_without_limits_it_is_counted_all_the_same(self) -> None:
        allowance = DayAllowance(self.begin())
        self.assertEqual(allowance.take(10, 100), Leave(100, None))
        self.assertEqual(used(), {("New", ""): 100, ("Old", ""): 100})

    def test_the_tighter_end_decides_and_copies_share_it(self) -> None:
        self.limit(self.server, bytes_a_day=1000)
        self.limit(self.other, bytes_a_day=400)
        first, second = DayAllowance(self.begin("a")), DayAllowance(self.begin("b"))
        self.assertEqual(first.take(10, 300), Leave(300, 100))
        self.assertEqual(second.take(10, 300), Leave(100, 0))
        self.assertEqual(first.take(10, 300), Leave(0, 0))
        self.assertEqual(used(), {("New", ""): 400, ("Old", ""): 400})

    def test_what_is_left_may_be_too_little(self) -> None:
        self.limit(self.server, bytes_a_day=100)
        allowance = DayAllowance(self.begin())
        self.assertEqual(allowance.take(101, 300), Leave(0, 100))
        self.assertEqual(allowance.take(60, 60), Leave(60, 40))

    def test_each_mailbox_may_have_a_limit_of_its_own(self) -> None:
        self.limit(self.server, bytes_a_day=1000, bytes_a_day_each=400)
        self.limit(self.other, bytes_a_day_each=300)
        first, second = DayAllowance(self.begin("A")), DayAllowance(self.begin("b"))
        self.assertEqual(first.take(10, 900), Leave(300, 0))
        self.assertEqual(second.take(10, 900), Leave(300, 0))
        self.assertEqual(
            used(),
            {
                ("New", ""): 600,
                ("New", "a"): 300,
                ("New", "b"): 300,
                ("Old", ""): 600,
                ("Old", "a"): 300,
                ("Old", "b"): 300,
            },
        )

    def test_what_was_not_copied_goes_back(self) -> None:
        self.limit(self.server, bytes_a_day=1000)
        run = self.begin()
        DayAllowance(run).take(10, 800)
        self.assertTrue(settling.give_back(run=run, figures={"bytes_copied": 300}))
        self.assertEqual(used(), {("New", ""): 300, ("Old", ""): 300})
        # It has ended: nothing is taken in its name any more.
        self.assertEqual(DayAllowance(run).take(1, 1), Leave(0, 0))

    def test_a_killed_copy_keeps_what_it_may_have_copied_unseen(self) -> None:
        for reserved, copied, kept in (
            (300, 100, 300),
            (UNREPORTED * 3, UNREPORTED, UNREPORTED * 2),
        ):
            for is_lost in (True, False):
                with self.subTest(reserved=reserved, is_lost=is_lost):
                    ServerDay.objects.all().delete()
                    run = self.begin()
                    DayAllowance(run).take(1, reserved)
                    Run.objects.update(bytes_copied=copied)
                    if is_lost:
                        settling.give_back_lost(pk=run.pk, attempt=run.attempt)
                    else:
                        Run.objects.update(lease_until=timezone.now())
                        settling.give_back_abandoned()
                    self.assertEqual(used()["Old", ""], kept)
                    Run.objects.all().delete()

    def test_what_is_larger_than_any_day_is_known(self) -> None:
        run = self.begin()
        self.assertIsNone(largest_ever(run.job))
        self.limit(self.server, bytes_a_day=1000, bytes_a_day_each=700)
        self.limit(self.other, bytes_a_day=800)
        self.assertEqual(largest_ever(run.job), 700)

    def test_another_limit_wakes_what_waits_for_the_next_day(self) -> None:
        tomorrow = next_day(timezone.now())
        wait: dict[str, Any] = {
            "not_before": tomorrow,
            "trouble": "budget",
            "failure": "Enough.",
        }
        waiting = self.add("a", **wait)
        into = self.add("b", {"server": self.other}, **wait)
        throttled = self.add("c", **wait | {"trouble": "throttled"})
        servers.edit_server(server=self.server, actor=self.adam, parallel_runs=9)
        self.assertEqual(Run.objects.filter(not_before=None).count(), 0)
        servers.edit_server(server=self.server, actor=self.adam, bytes_a_day=10**9)
        waiting.refresh_from_db()
        self.assertEqual((waiting.not_before, waiting.trouble), (None, ""))
        self.assertIsNotNone(waiting.handed_at)
        left = Run.objects.filter(not_before=tomorrow)
        self.assertEqual(set(left), {into, throttled})


@pytest.mark.slow
class CopyTests(MigrationTestCase):
    def test_a_message_larger_than_a_day_is_named_and_not_waited_for(self) -> None:
        Server.objects.update(bytes_a_day=6_000)
        plan = self.carry_out(self.new_run())
        self.assertEqual((plan.state, plan.trouble), ("done", "oversize"))
        error = plan.errors.order_by("uid").first()
        assert error is not None
        self.assertIn("all that may be copied in a day, 6", error.reason)

    def test_raising_the_limit_lets_it_go_on(self) -> None:
        Server.objects.update(bytes_a_day_each=30_000)
        run = self.carry_out(self.new_run(dry_run=False))
        self.assertEqual((run.state, run.trouble), ("queued", "budget"))
        self.assertLessEqual(run.bytes_copied, 30_000)
        self.assertEqual(used()["Old provider", SMALL], run.bytes_copied)
        servers.edit_server(server=self.server, actor=self.adam, bytes_a_day_each=10**9)
        self.assertEqual(self.carry_out(run).verdict, Run.Verdict.COMPLETE)
        self.assertEqual(used()["Old provider", SMALL], run.bytes_copied_in_all)


@pytest.mark.slow
class AtOnceTests(TransactionTestCase):
    def test_no_limit_is_exceeded_by_many_at_once(self) -> None:
        owner = User.objects.create_user("olga@example.org", None, role=Role.OWNER)
        server = Server.objects.create(
            name="Old", host="old.example", bytes_a_day=10_000, created_by=owner
        )
        claimed = []
        for number in range(8):
            job = Job.objects.create(
                server=server,
                source_user=f"user{number}",
                destination=ADDRESS,
                created_by=owner,
            )
            run = Run.objects.create(
                job=job,
                pair=job.pair,
                dry_run=False,
                state=Run.State.RUNNING,
                attempt=1,
                lease_until=timezone.now() + timedelta(minutes=1),
            )
            Attempt.objects.create(run=run, number=1, began_at=timezone.now())
            claimed.append(run)

        def take(run: Run) -> int:
            try:
                allowance = DayAllowance(run)
                return sum(allowance.take(50, 170).granted for _ in range(30))
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            granted = sum(pool.map(take, claimed))
        self.assertGreater(granted, 10_000 - 50)
        self.assertLessEqual(granted, 10_000)
        self.assertEqual(ServerDay.objects.get().bytes, granted)
