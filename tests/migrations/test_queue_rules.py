from __future__ import annotations

from datetime import UTC, datetime, time
from unittest import mock

from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.utils import timezone

from purelymanage.audit.models import Entry
from purelymanage.errors import Refused
from purelymanage.migrations import queue
from purelymanage.migrations.limits import next_day, rest_until
from purelymanage.migrations.models import QueueRules
from purelymanage.migrations.operations import queue_rules, runs
from tests.cast import CastTestCase
from tests.migrations.waiting_runs import WithRuns

URL = "/migrations/queue/"


class RestTests(CastTestCase):
    def test_hours_of_the_day_and_over_night(self) -> None:
        for start, end, at, until in (
            (time(8), time(18), "2026-11-21 08:00", "2026-11-21 18:00"),
            (time(8), time(18), "2026-11-21 07:59", None),
            (time(8), time(18), "2026-11-21 18:00", None),
            (time(22), time(6), "2026-11-21 23:30", "2026-11-22 06:00"),
            (time(22), time(6), "2026-11-22 05:59", "2026-11-22 06:00"),
            (time(22), time(6), "2026-11-22 06:00", None),
            (time(8), None, "2026-11-21 09:00", None),
        ):
            with self.subTest(start=start, at=at):
                moment = datetime.fromisoformat(f"{at}+00:00")
                expected = until and datetime.fromisoformat(f"{until}+00:00")
                self.assertEqual(rest_until(start, end, moment), expected)

    def test_they_are_those_of_the_place(self) -> None:
        at = datetime(2026, 7, 1, 6, 30, tzinfo=UTC)
        with timezone.override("Europe/Berlin"):
            until = rest_until(time(8), time(18), at)
        self.assertEqual(until, datetime(2026, 7, 1, 16, tzinfo=UTC))

    def test_days_of_budgets_are_those_of_utc(self) -> None:
        at = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
        self.assertEqual(next_day(at), datetime(2027, 1, 1, tzinfo=UTC))


class QueueRulesTests(WithRuns):
    def test_a_paused_queue_takes_back_what_has_not_begun(self) -> None:
        run, begun = self.add("a"), self.add("b")
        queue.dispatch()
        runs.claim_run(pk=begun.pk, host="here.example")
        queue_rules.pause_queue(actor=self.olga)
        self.assertEqual(self.handed(), [])
        self.assertIsNone(runs.claim_run(pk=run.pk, host="here.example"))
        self.add("c")
        self.assertEqual(queue.dispatch(), 0)
        begun.refresh_from_db()
        self.assertEqual(begun.state, "running")

        queue_rules.resume_queue(actor=self.olga)
        self.assertEqual(self.handed(), ["a", "c"])

    def test_it_says_who_paused_it(self) -> None:
        queue_rules.pause_queue(actor=self.olga)
        with self.assertRaises(Refused):
            queue_rules.pause_queue(actor=self.adam)
        self.assertEqual(QueueRules.objects.get().paused_by, self.olga)
        self.client.force_login(self.adam)
        self.assertEqual(
            [str(it) for it in Entry.objects.filter(event="queue.paused")],
            [f"{self.olga} paused the queue of copies"],
        )

    def test_fewer_at_once_takes_back_what_has_not_begun(self) -> None:
        for name in "abcd":
            self.add(name)
        queue.dispatch()
        self.assertEqual(len(self.handed()), 4)
        queue_rules.limit_queue(parallel_runs=2, actor=self.olga)
        self.assertEqual(self.handed(), ["a", "b"])
        queue_rules.limit_queue(parallel_runs=3, actor=self.olga)
        self.assertEqual(self.handed(), ["a", "b", "c"])
        entry = Entry.objects.filter(event="queue.changed").latest("pk")
        self.assertIn("copies at the same time from 2 to 3", str(entry))

    def test_what_did_not_change_is_not_told(self) -> None:
        queue_rules.limit_queue(parallel_runs=4, actor=self.olga)
        self.assertFalse(Entry.objects.filter(event="queue.changed").exists())

    def test_nothing_begins_in_the_hours_of_a_pause(self) -> None:
        self.add("a")
        now = timezone.localtime().replace(microsecond=0)
        with mock.patch.object(timezone, "now", return_value=now):
            queue_rules.edit_queue(
                parallel_runs=4,
                pause_from=now.time(),
                pause_until=now.replace(hour=(now.hour + 2) % 24).time(),
                actor=self.olga,
            )
            self.assertEqual(queue.dispatch(), 0)
        self.assertEqual(self.handed(), [])


class QueuePageTests(WithRuns):
    def setUp(self) -> None:
        super().setUp()
        cache.set(f"pulse:{queue.CLUSTER}", "asks for work", 30)
        self.addCleanup(cache.clear)

    def test_without_workers_it_does_not_claim_to_work(self) -> None:
        cache.clear()
        for user, leads_on in ((self.adam, True), (self.lina, False)):
            self.client.force_login(user)
            r = self.client.get("/migrations/")
            self.assertContains(r, "Nobody works on copies")
            self.assertNotContains(r, "The queue is working")
            self.assertEqual("/settings/health/" in r.content.decode(), leads_on)

    def test_the_limit_is_set_on_the_spot(self) -> None:
        self.client.force_login(self.adam)
        r = self.client.post(f"{URL}limit/", {"parallel_runs": "7"})
        self.assertRedirects(r, "/migrations/")
        self.assertEqual(QueueRules.objects.get().parallel_runs, 7)
        r = self.client.post(
            f"{URL}limit/", {"parallel_runs": "6"}, headers={"HX-Request": "true"}
        )
        self.assertContains(r, 'value="6"')
        self.assertTemplateNotUsed(r, "base.html")

    def test_a_limit_that_is_none_is_refused(self) -> None:
        self.client.force_login(self.adam)
        for value in ("0", "101", "", "many"):
            with self.subTest(value=value):
                r = self.client.post(
                    f"{URL}limit/",
                    {"parallel_runs": value},
                    headers={"HX-Request": "true"},
                )
                self.assertContains(r, "from 1 to 100", status_code=422)
        self.assertFalse(QueueRules.objects.exists())

    def test_pausing_says_since_when_and_by_whom(self) -> None:
        self.client.force_login(self.adam)
        r = self.client.post(f"{URL}pause/", headers={"HX-Request": "true"})
        self.assertContains(r, "The queue is paused")
        self.assertContains(r, "by adam@example.org")
        paused_at = QueueRules.objects.get().paused_at
        r = self.client.post(f"{URL}pause/", follow=True)
        self.assertContains(r, "The queue is paused", 1)
        self.assertEqual(QueueRules.objects.get().paused_at, paused_at)
        r = self.client.post(f"{URL}resume/", headers={"HX-Request": "true"})
        self.assertContains(r, "The queue is working")

    def test_the_hours_have_a_page(self) -> None:
        self.client.force_login(self.adam)
        self.assertContains(self.client.get(URL), 'type="time"')
        data = {"parallel_runs": "4", "pause_from": "08:00", "pause_until": ""}
        r = self.client.post(URL, data)
        self.assertContains(r, "A pause needs both ends", status_code=422)
        r = self.client.post(URL, data | {"pause_until": "18:00"})
        self.assertRedirects(r, "/migrations/")
        self.assertEqual(QueueRules.objects.get().pause_until, time(18))

    def test_people_limited_to_some_domains_only_look(self) -> None:
        self.client.force_login(self.adam)
        r = self.client.get("/migrations/")
        self.assertContains(r, "At the same time")
        self.client.force_login(self.lina)
        r = self.client.get("/migrations/")
        self.assertNotContains(r, "At the same time")
        self.assertContains(r, "The queue is working")


class QueueCommandTests(CastTestCase):
    def test_operators_pause_and_resume(self) -> None:
        call_command("pause_queue", stdout=mock.Mock())
        self.assertIsNotNone(QueueRules.objects.get().paused_at)
        with self.assertRaisesRegex(CommandError, "paused already"):
            call_command("pause_queue")
        call_command("resume_queue", stdout=mock.Mock())
        self.assertIsNone(QueueRules.objects.get().paused_at)
        with self.assertRaisesRegex(CommandError, "not paused"):
            call_command("resume_queue")
