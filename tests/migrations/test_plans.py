from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.template.loader import render_to_string
from django.test import SimpleTestCase
from django.utils import timezone

from purelymanage.dashboard.models import CreditReading
from purelymanage.migrations.models import Job, Run, RunError, RunFolder, Server
from purelymanage.migrations.planning import plan_of
from purelymanage.migrations.plans import ASSUMED, Plan, Speed, draw_up, speed_of
from tests.cast import CastTestCase

FAST = Speed(messages=100, bytes=1_000_000)
GB = 10**9


def plan(
    *,
    options: dict[str, Any] | None = None,
    server: dict[str, Any] | None = None,
    reasons: tuple[str, ...] = (),
    speed: Speed = FAST,
    credit: Decimal | None = None,
    destination_server: Server | None = None,
    **figures: int,
) -> Plan:
    job = Job(
        server=Server(**(server or {})),
        options=options or {},
        destination_server=destination_server,
    )
    run = Run(job=job, dry_run=True, **figures)
    folders = [
        RunFolder(destination="INBOX", exists=True),
        RunFolder(destination="Work"),
        RunFolder(destination="Work"),
    ]
    return draw_up(run, folders, speed=speed, reasons=reasons, credit=credit)


class PlanTests(SimpleTestCase):
    def test_the_slower_of_messages_and_bytes_decides(self) -> None:
        many = plan(to_copy=6000, bytes_to_copy=1)
        self.assertEqual(many.duration, timedelta(minutes=1))
        large = plan(to_copy=1, bytes_to_copy=120_000_000)
        self.assertEqual(large.duration, timedelta(minutes=2))
        self.assertIn("earlier copies", large.time_reason)

    def test_limits_make_it_longer(self) -> None:
        slow = plan(to_copy=600, server={"messages_a_second": 5.0})
        self.assertEqual(slow.duration, timedelta(minutes=2))
        own = plan(to_copy=600, options={"messages_a_second": 1.0})
        self.assertEqual(own.duration, timedelta(minutes=10))
        each = plan(bytes_to_copy=5 * GB, server={"bytes_a_day_each": GB})
        self.assertEqual(each.days, 5)
        daily = plan(bytes_to_copy=5 * GB, server={"bytes_a_day": 2 * GB})
        self.assertEqual(daily.time, "about 3 days")

    def test_an_assumption_is_called_one(self) -> None:
        self.assertIn("if it gives out 20 messages", plan(speed=ASSUMED).time_reason)

    def test_folders_to_be_created_count_once(self) -> None:
        self.assertEqual(plan().new_folders, ("Work",))

    def test_storage_has_its_price(self) -> None:
        self.assertEqual(plan(bytes_to_copy=10 * GB).price, "$5.60")
        self.assertEqual(plan(bytes_to_copy=1000).price, "less than $0.01")
        self.assertEqual(plan(destination_server=Server(pk=1)).price, "")
        dear = plan(bytes_to_copy=10 * GB, credit=Decimal("5.00"))
        self.assertTrue(dear.is_too_dear)
        self.assertFalse(plan(bytes_to_copy=GB, credit=Decimal(5)).is_too_dear)

    def test_what_is_too_large_is_counted(self) -> None:
        reasons = ("It is larger than the limit of 50\u202f000\u202f000 bytes.",) * 3
        found = plan(reasons=(*reasons, "The server refused it."))
        self.assertEqual((found.too_large, found.limit), (3, 50_000_000))
        self.assertEqual(plan(options={"max_message_bytes": 7}).limit, 7)
        self.assertEqual(plan().limit, 51_200_000)
        self.assertTrue(plan(largest=51_200_001).is_over_limit)
        self.assertIsNone(plan(destination_server=Server(pk=1)).limit)


class SpeedTests(SimpleTestCase):
    def test_it_begins_with_the_first_message(self) -> None:
        run = Run(samples=[[0, 0, 0], [10, 0, 0], [20, 500, 5000], [30, 1000, 9000]])
        self.assertEqual(speed_of([run]), Speed(50, 450))

    def test_runs_count_by_what_they_copied(self) -> None:
        quick = Run(samples=[[0, 0, 0], [10, 1000, 1000]])
        slow = Run(samples=[[0, 0, 0], [90, 1000, 1000]])
        self.assertEqual(speed_of([quick, slow]), Speed(20, 20))

    def test_too_little_says_nothing(self) -> None:
        few = Run(samples=[[0, 0, 0], [1, 10, 10]])
        self.assertEqual(speed_of([few, Run(samples=[])]), ASSUMED)
        self.assertEqual(speed_of([Run(samples=[[5, 100, 1]])]), ASSUMED)


class PlanOfTests(CastTestCase):
    def setUp(self) -> None:
        server = Server.objects.create(name="a", host="a", created_by=self.olga)
        job = Job.objects.create(
            server=server, source_user="a", destination="b@c", created_by=self.olga
        )
        now = timezone.now()
        samples = [[0, 0, 0], [10, 1000, 10_000]]
        Run.objects.create(
            job=job, dry_run=False, copied=1000, samples=samples, state="done",
            finished_at=now, is_newest=False,
        )  # fmt: skip
        self.run_ = Run.objects.create(
            job=job, dry_run=True, state="done", finished_at=now, failed=1,
            to_copy=500, bytes_to_copy=GB, messages=700, already_there=199,
        )  # fmt: skip
        RunError.objects.create(
            run=self.run_, folder="a", uid=1, size=9,
            reason="It is larger than the limit of 8 bytes.",
        )  # fmt: skip
        CreditReading.objects.create(amount=Decimal("9.1234"))

    def test_it_is_drawn_up_from_what_is_known(self) -> None:
        with self.assertNumQueries(3):
            found = plan_of(self.run_, [], self.adam)
        assert found is not None
        self.assertEqual(found.speed, Speed(100, 1000))
        self.assertEqual((found.too_large, found.limit), (1, 8))
        html = render_to_string(
            "migrations/_plan.html", {"plan": found, "run": self.run_}
        )
        self.assertIn("$0.56", html)
        self.assertIn("of $9.12 credit", html)
        self.assertIn("1 over the limit of 8", html)

    def test_limited_people_do_not_see_the_credit(self) -> None:
        found = plan_of(self.run_, [], self.lina)
        assert found is not None
        self.assertIsNone(found.credit)

    def test_only_a_plan_has_one(self) -> None:
        self.run_.state = Run.State.FAILED
        self.assertIsNone(plan_of(self.run_, [], self.adam))
