from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

from django.core.management import CommandError, call_command
from django.utils import timezone

from purelymanage.migrations import queue
from purelymanage.migrations.limits import today
from purelymanage.migrations.models import Job, QueueRules, Run, ServerDay
from purelymanage.migrations.operations import queue_rules, runs
from tests.migrations.waiting_runs import WithRuns

SOON = "It starts in a moment."


class WhyWaitingTests(WithRuns):
    def why(self, run: Run) -> str:
        run.refresh_from_db()
        return queue.why_waiting([run])[run.pk]

    def test_each_reason_has_its_sentence(self) -> None:
        tomorrow = timezone.now() + timedelta(days=1)
        budget = self.add_server("Spent", bytes_a_day=10)
        ServerDay.objects.create(
            server=budget, day=today(timezone.now()).date(), bytes=10
        )
        cases: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
            "It starts in a moment.": ({}, {}),
            "It tries again tomorrow at": ({}, {"not_before": tomorrow}),
            "The server asked us to slow down. It goes on tomorrow": (
                {},
                {"not_before": tomorrow, "trouble": "throttled"},
            ),
            "It begins tomorrow at": ({"starts_at": tomorrow}, {}),
            "Its batch is paused.": (
                {"batch": self.add_batch("p", paused_at=tomorrow)},
                {},
            ),
            "Its batch is a draft.": (
                {"batch": self.add_batch("d", confirmed_at=None)},
                {},
            ),
            "Its batch begins tomorrow": (
                {"batch": self.add_batch("l", starts_at=tomorrow)},
                {},
            ),
            "The limit of Spent for today is used up. It goes on": (
                {"server": budget},
                {},
            ),
        }
        for number, (words, (job, columns)) in enumerate(cases.items()):
            with self.subTest(words=words):
                run = self.add(f"user{number}", job, **columns)
                self.assertIn(words, self.why(run))

    def test_limits_say_what_is_taken(self) -> None:
        self.slots(3)
        one = self.add_server("One", parallel_runs=1)
        batch = self.add_batch("batch", parallel_runs=1)
        for job in ({"server": one}, {"batch": batch}, {}):
            self.add("first", {"destination": f"{len(job)}@shop.example"} | job)
        queue.dispatch()
        waits = self.add("second", {"server": one})
        self.assertEqual(self.why(waits), "One is to serve no more than 1 at once.")
        waits = self.add("third", {"batch": batch})
        self.assertEqual(self.why(waits), "Its batch is to run no more than 1 at once.")
        waits = self.add("FIRST", {"destination": "0@shop.example"})
        self.assertIn("between the same two mailboxes", self.why(waits))
        waits = self.add("fourth")
        self.assertEqual(
            self.why(waits), "3 copies run already, as many as may at once."
        )

    def test_the_queue_says_so_itself(self) -> None:
        run = self.add("a")
        queue_rules.pause_queue(actor=self.olga)
        self.assertEqual(self.why(run), "The queue is paused.")
        queue_rules.resume_queue(actor=self.olga)
        self.assertEqual(self.why(run), SOON)
        Run.objects.update(handed_at=timezone.now() - timedelta(minutes=1))
        self.assertIn("waits for a worker", self.why(run))
        now = timezone.localtime()
        Run.objects.update(handed_at=None)
        QueueRules.objects.update(
            pause_from=(now - timedelta(hours=1)).time(),
            pause_until=(now + timedelta(hours=1)).time(),
        )
        self.assertIn("The queue rests. It goes on", self.why(run))

    def test_the_number_of_queries_does_not_grow(self) -> None:
        some = [self.add(f"user{n}") for n in range(3)]
        more = [*some, *(self.add(f"more{n}") for n in range(20))]
        with self.assertNumQueries(2):
            queue.why_waiting(some)
        with self.assertNumQueries(2):
            queue.why_waiting(more)
        with self.assertNumQueries(0):
            queue.why_waiting([])


class ListJobsTests(WithRuns):
    def list(self, **options: Any) -> Any:
        out = StringIO()
        call_command("list_jobs", json=True, stdout=out, **options)
        return json.loads(out.getvalue())

    def test_it_says_what_each_job_is_at(self) -> None:
        batch = self.add_batch("batch")
        self.add("waits", {"batch": batch})
        failed = self.add("failed")
        Run.objects.filter(pk=failed.pk).update(
            state="failed",
            trouble="quota",
            failure="It is full.",
            finished_at=timezone.now(),
            copied=3,
        )
        Job.objects.create(
            server=self.server,
            source_user="new",
            destination="new@shop.example",
            login=Job.Login.WRONG,
            login_words="It refused.",
            created_by=self.adam,
        )
        waits, fails, new = self.list()
        self.assertEqual(waits["state"], "queued")
        self.assertEqual(waits["waiting"], SOON)
        self.assertEqual((fails["trouble"], fails["messages_copied"]), ("quota", 3))
        self.assertIn("Make room", fails["next_step"])
        self.assertEqual((new["state"], new["failure"]), ("new", "It refused."))
        self.assertEqual([it["source"] for it in self.list(state="failed")], ["failed"])
        self.assertEqual([it["source"] for it in self.list(batch=batch.pk)], ["waits"])
        with self.assertRaisesRegex(CommandError, "no batch"):
            self.list(batch=batch.pk + 1)

    def test_without_json_it_is_for_people(self) -> None:
        self.add("a")
        out = StringIO()
        call_command("list_jobs", stdout=out)
        self.assertIn(f"a to orders@shop.example: queued. {SOON}", out.getvalue())


class ClockTests(WithRuns):
    def test_what_falls_due_begins_with_the_next_sign_of_life(self) -> None:
        from purelymanage.migrations.apps import begin_what_is_due

        run = self.add("a", {"starts_at": timezone.now() + timedelta(hours=1)})
        begin_what_is_due(cluster="migrations")
        self.assertEqual(self.handed(), [])
        Job.objects.update(starts_at=timezone.now())
        begin_what_is_due(cluster="migrations")
        self.assertEqual(self.handed(), ["a"])
        self.assertIsNotNone(runs.claim_run(pk=run.pk, host="here.example"))
