from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone
from django.utils.html import escape

from purelymanage.audit.models import Entry
from purelymanage.mailboxes.models import HandOver, Mailbox
from purelymanage.mailboxes.operations.hand_overs import make_hand_over
from purelymanage.migrations.models import Batch, Job, JobAction, Run, RunError, Server
from tests.cast import HTMX, CastTestCase
from tests.live import asks_again
from tests.migrations.batch_cases import Login, State, add_batch, add_jobs, add_runs


class BatchCase(CastTestCase):
    batch: Batch
    server: Server

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.server = Server.objects.create(
            name="Old provider", host="old.example", created_by=cls.olga
        )
        cls.batch = add_batch(cls.olga, cls.server)

    def setUp(self) -> None:
        self.url = f"/migrations/batches/{self.batch.pk}/"
        self.client.force_login(self.adam)

    def add_all_states(self) -> None:
        for state, columns in (
            (State.RUNNING, {"phase": "copying", "bytes": 100, "bytes_to_copy": 60}),
            (State.QUEUED, {}),
            (State.DONE, {"dry_run": True, "verdict": "complete"}),
            (State.DONE, {"verdict": "complete"}),
            (State.DONE, {"verdict": "complete_with_skips"}),
            (State.STOPPED, {}),
            (State.FAILED, {"failure": "Nobody listens there."}),
        ):
            add_runs(add_jobs(self.batch, 1), state, **columns)
        wrong = add_jobs(self.batch, 1, login=Login.WRONG)
        add_runs(wrong, State.FAILED, trouble="password")
        add_jobs(self.batch, 1, login=Login.WRONG, login_words="Wrong password.")
        add_jobs(self.batch, 1, login=Login.TRYING, login_due_at=timezone.now())

    def events(self) -> list[str]:
        entries = Entry.objects.exclude(event__startswith="person.").order_by("pk")
        return list(entries.values_list("event", flat=True))

    def act(self, kind: str, jobs: list[Job] | None = None, **data: Any) -> Any:
        keys = [it.pk for it in jobs or []]
        data = {"kind": kind, "key": keys} | data
        return self.client.post(f"{self.url}act/", data, follow=True)


class BatchDetailTests(BatchCase):
    def test_it_shows_each_state_with_its_count(self) -> None:
        self.add_all_states()
        r = self.client.get(self.url)
        self.assertContains(r, "10 mailboxes from Old provider")
        self.assertContains(
            r,
            "10 mailboxes: 1 complete, 1 some left out, 1 copying, 1 being tried, "
            "1 plan ready, 1 waiting, 1 stopped, 1 needs a password, 1 not let in, "
            "1 failed",
        )
        self.assertContains(r, "40 %")
        self.assertContains(r, "Wrong password.")
        self.assertContains(r, "Nobody listens there.")
        self.assertContains(r, "It starts in a moment.")
        self.assertContains(r, "Run 1 plan")
        self.assertContains(r, "every 2s")

    def test_what_was_said_takes_the_room_of_figures_that_are_not_known(self) -> None:
        words = {"login": Login.WRONG, "login_words": "Wrong password."}
        add_jobs(self.batch, 1, **words)
        self.assertContains(self.client.get(self.url), 'colspan="3"', 1)
        failed = add_jobs(self.batch, 1)
        add_runs(failed, State.FAILED, failure="No room is left.", messages=12)
        self.assertContains(self.client.get(self.url), 'colspan="3"', 1)

    def test_it_names_the_page_with_a_link_for_the_owner(self) -> None:
        jobs = add_jobs(self.batch, 2)
        mailbox = Mailbox.objects.get(address=jobs[0].destination)
        link = make_hand_over(mailbox=mailbox, password="x", actor=self.adam)
        Job.objects.filter(pk=jobs[0].pk).update(hand_over=link.hand_over)
        r = self.client.get(self.url)
        self.assertContains(r, "link for the owner", 1)
        HandOver.objects.update(viewed_at=timezone.now())
        self.assertNotContains(self.client.get(self.url), "link for the owner")

    def test_a_plan_has_finished_nothing(self) -> None:
        [job] = add_jobs(self.batch, 1)
        add_runs([job], State.DONE, dry_run=True, verdict="complete")
        r = self.client.get(self.url)
        self.assertContains(r, f'<div id="finish-{job.pk}"></div>', 1, html=True)

    def test_what_is_not_finished_comes_first(self) -> None:
        self.add_all_states()
        r = self.client.get(self.url)
        states = [row.state.code for row in r.context["rows"]]
        self.assertEqual(states[0], "copying")
        self.assertEqual(states[-2:], ["left_out", "complete"])

    def test_it_finds_by_address_and_state(self) -> None:
        self.add_all_states()
        r = self.client.get(f"{self.url}?state=failed", headers=HTMX)
        self.assertEqual([row.state.code for row in r.context["rows"]], ["failed"])
        r = self.client.get(f"{self.url}?q=USER3", headers=HTMX)
        self.assertEqual(len(r.context["rows"]), 1)
        r = self.client.get(f"{self.url}?q=%00nobody")
        self.assertContains(r, "No mailbox is like this")

    def test_totals_take_the_best_of_all_runs_of_a_job(self) -> None:
        [job] = add_jobs(self.batch, 1)
        plan = {"dry_run": True, "is_newest": False, "phase": "done"}
        add_runs([job], State.DONE, messages=10, bytes=10**9, already_there=4, **plan)
        add_runs([job], State.QUEUED)
        r = self.client.get(self.url)
        totals = r.context["figures"].totals
        self.assertEqual((totals.messages, totals.there), (10, 4))
        self.assertContains(r, "$0.56")

    def poll(self, url: str) -> Any:
        return self.client.get(url, headers=HTMX)

    def test_a_look_brings_what_moves(self) -> None:
        jobs = add_jobs(self.batch, 2)
        add_runs(jobs, State.RUNNING, phase="copying", bytes=100, bytes_to_copy=100)
        rests = add_jobs(self.batch, 1)
        add_runs(rests, State.DONE, phase="done", bytes=300, messages=3, copied=3)
        url = asks_again(self.client.get(self.url))
        Run.objects.filter(job=jobs[0]).update(bytes_copied=60, messages=9, copied=5)
        # The other one is on another page of the list.
        r = self.poll(url.replace(f"&row={jobs[1].pk}", ""))
        self.assertNotIn("HX-Trigger", r.headers)
        self.assertContains(r, f'id="state-{jobs[0].pk}" hx-swap-oob="true"')
        self.assertContains(r, "60 %")
        self.assertNotContains(r, f'id="state-{jobs[1].pk}"')
        self.assertContains(r, "<dd>8</dd><dd>of 12 seen so far</dd>")
        self.assertContains(r, 'data-title="72 %"')

    def test_a_look_is_left_alone_while_nothing_has_moved(self) -> None:
        jobs = add_jobs(self.batch, 1)
        add_runs(jobs, State.RUNNING, phase="copying", bytes=10)
        page = self.client.get(self.url)
        with mock.patch("purelymanage.migrations.views.batches.passing_time") as time:
            time.return_value = 1
            url = asks_again(self.poll(asks_again(page)), page=page)
            self.assertEqual(self.poll(url).status_code, 204)
            # A rest of the time is said anew now and then.
            time.return_value = 2
            self.assertEqual(self.poll(url).status_code, 200)

    @pytest.mark.slow
    def test_a_look_tells_when_a_state_has_changed(self) -> None:
        jobs = add_jobs(self.batch, 3)
        add_runs(jobs[:1], State.RUNNING, phase="copying", bytes=10)
        add_runs(jobs[1:2], State.QUEUED)
        changes: list[Callable[[], object]] = [
            lambda: Run.objects.filter(job=jobs[1]).update(handed_at=timezone.now()),
            lambda: add_runs(jobs[2:], State.QUEUED),
            lambda: Job.objects.filter(pk=jobs[2].pk).update(login=Login.WAITING),
            lambda: Run.objects.filter(job=jobs[0]).update(
                state=State.DONE, finished_at=timezone.now(), lease_until=None
            ),
            lambda: Job.objects.filter(pk=jobs[0].pk).update(removed_at=timezone.now()),
        ]
        for number, change in enumerate(changes):
            url = asks_again(self.client.get(self.url))
            with self.subTest(number=number):
                self.assertNotIn("HX-Trigger", self.poll(url).headers)
                change()
                r = self.poll(url)
                self.assertEqual((r.status_code, r["HX-Trigger"]), (204, "moved"))

    def test_all_that_is_asked_for_then_ends_the_looking(self) -> None:
        [job] = add_jobs(self.batch, 1)
        add_runs([job], State.RUNNING, phase="copying", bytes=10)
        self.assertIn('id="batch-live" hx-swap-oob', self.drawn())
        Run.objects.update(state=State.DONE, finished_at=timezone.now())
        drawn = self.drawn()
        self.assertNotIn("every 2s", drawn)
        for part in ("batch-bar", "batch-live", "batch-finish"):
            self.assertIn(f'id="{part}" ', drawn)
        self.assertIn(">finished<", drawn)

    def drawn(self) -> str:
        content: bytes = self.poll(self.url).content
        return content.decode()

    def test_sums_that_nobody_was_given_are_not_believed(self) -> None:
        add_runs(add_jobs(self.batch, 1), State.RUNNING)
        url = asks_again(self.client.get(self.url))
        for rest in ("", "1.2", "a.b.c.d.e", "1.2.3.4.5.6", "1.2.3.4." + "9" * 5000):
            r = self.poll(re.sub(r"rest=[^&]*", f"rest={rest}", url))
            self.assertEqual((r.status_code, r["HX-Trigger"]), (204, "moved"))

    @pytest.mark.slow
    def test_thousands_take_no_more_queries_than_few(self) -> None:
        for count in (6, 600):
            jobs = add_jobs(self.batch, count)
            half = count // 2
            add_runs(jobs[:half], State.QUEUED)
            add_runs(jobs[half : half + 2], State.RUNNING)
            add_runs(jobs[half + 2 :], State.FAILED)
            # Who is asking; the batch, what has happened, its states and sums and who
            # is on the page, copies that run; the rows, their runs, two for why they
            # wait; the oldest failure, the last action.
            with self.subTest(count=count), self.assertNumQueries(11):
                r = self.client.get(f"{self.url}?state=queued", headers=HTMX)
            # Who is asking, the batch, what has happened, and what runs.
            with self.subTest(count=count), self.assertNumQueries(4):
                self.assertEqual(self.poll(asks_again(r)).status_code, 200)

    def test_limits_turn_and_pause_are_changed(self) -> None:
        add_jobs(self.batch, 1)
        self.client.post(f"{self.url}rules/", {"parallel_runs": "2", "priority": "1"})
        self.batch.refresh_from_db()
        self.assertEqual((self.batch.parallel_runs, self.batch.priority), (2, 1))
        self.client.post(f"{self.url}rules/", {"parallel_runs": "", "priority": "x"})
        self.client.post(f"{self.url}pause/")
        self.client.post(f"{self.url}pause/")
        self.assertContains(self.client.get(self.url), "This batch is paused since")
        self.client.post(f"{self.url}resume/")
        self.assertEqual(
            self.events(), ["batch.changed", "batch.paused", "batch.resumed"]
        )

    def test_auditors_see_it_without_switches(self) -> None:
        self.add_all_states()
        self.client.force_login(self.audrey)
        r = self.client.get(self.url)
        self.assertNotContains(r, 'name="key"')
        self.assertNotContains(r, "/pause/")

    def test_limited_people_see_their_own_batches(self) -> None:
        self.client.force_login(self.lina)
        self.assertEqual(self.client.get(self.url).status_code, 200)
        self.batch.domains = ["example.org", "shop.example"]
        self.batch.save()
        for path in ("", "progress/", "action/", "report/", "report.csv"):
            r = self.client.get(f"{self.url}{path}")
            self.assertEqual(r.status_code, 404, path)


class ActOnJobsTests(BatchCase):
    def test_chosen_ones_are_run_and_refusals_are_named(self) -> None:
        jobs = add_jobs(self.batch, 3)
        add_runs(jobs[:1], State.QUEUED)
        r = self.act("copy", jobs[:2])
        self.assertContains(r, "Run: 1 of 2 mailboxes, 1 refused")
        words = f"{jobs[0].source_user} is being copied to {jobs[0].destination}"
        self.assertContains(r, escape(words))
        self.assertEqual(Run.objects.get(job=jobs[1]).dry_run, False)
        self.assertFalse(Run.objects.filter(job=jobs[2]).exists())
        self.assertEqual(self.events(), ["migration.queued"])

    def test_all_plans_are_run_but_nothing_else(self) -> None:
        plans, others = add_jobs(self.batch, 2), add_jobs(self.batch, 2)
        add_runs(plans, State.DONE, dry_run=True, verdict="complete")
        add_runs(others, State.FAILED)
        r = self.act("copy", all="1", state="planned")
        self.assertContains(r, "Run: 2 of 2 mailboxes")
        # They are shown, though they are no plans any more.
        self.assertContains(r, plans[0].destination)
        copies = Run.objects.queued().values_list("job", flat=True)
        self.assertEqual(set(copies), {it.pk for it in plans})

    def test_failures_are_retried_as_what_they_were(self) -> None:
        jobs = add_jobs(self.batch, 3)
        add_runs(jobs[:1], State.FAILED, dry_run=True)
        add_runs(jobs[1:2], State.FAILED)
        add_runs(jobs[2:], State.DONE, verdict="complete")
        self.act("retry", all="1")
        again = Run.objects.queued().order_by("job").values_list("job", "dry_run")
        self.assertEqual(list(again), [(jobs[0].pk, True), (jobs[1].pk, False)])

    def test_an_unanswered_login_is_tried_again(self) -> None:
        [job] = add_jobs(self.batch, 1, login=Login.UNKNOWN)
        self.act("retry", all="1")
        job.refresh_from_db()
        self.assertEqual(job.login, Login.WAITING)

    def test_what_waits_or_runs_is_stopped(self) -> None:
        jobs = add_jobs(self.batch, 3)
        add_runs(jobs[:1], State.QUEUED)
        add_runs(jobs[1:2], State.RUNNING)
        r = self.act("stop", jobs)
        self.assertContains(r, "Stop: 2 of 3 mailboxes, 1 refused")
        self.assertEqual(Run.objects.get(job=jobs[0]).state, State.STOPPED)
        self.assertTrue(Run.objects.get(job=jobs[1]).stop_requested_at)

    def test_removing_says_first_what_goes(self) -> None:
        jobs = add_jobs(self.batch, 2)
        r = self.act("remove", jobs)
        self.assertContains(r, "passwords are erased at once")
        self.assertEqual(Job.objects.present().count(), 2)
        r = self.act("remove", jobs, confirmed="1")
        self.assertContains(r, "No mailbox is left in this batch")
        self.assertFalse(Job.objects.exclude(source_secret="").exists())

    @pytest.mark.slow
    def test_many_are_left_to_a_worker(self) -> None:
        add_jobs(self.batch, 101)
        r = self.act("plan", all="1")
        self.assertContains(r, "Dry run: 0 of 101 mailboxes")
        self.assertFalse(Run.objects.exists())
        r = self.act("stop", all="1")
        self.assertContains(r, "Choose at least one")

    def test_nobody_reaches_into_another_batch(self) -> None:
        other = add_batch(self.olga, self.server, name="Second wave")
        r = self.act("plan", add_jobs(other, 1))
        self.assertContains(r, "Choose at least one")
        self.assertFalse(JobAction.objects.exists())


class ReportTests(BatchCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_all_states()
        job = add_jobs(self.batch, 1)[0]
        Job.objects.filter(pk=job.pk).update(source_user="=cmd()@old.example")
        [run] = add_runs([job], State.DONE, copied=7, failed=1, verdict="complete")
        RunError.objects.create(
            run=run,
            folder="+Archive",
            uid=12,
            size=60_000_000,
            reason="Too large.",
            arrived_at=timezone.now(),
        )

    def test_the_page_names_what_was_left_out(self) -> None:
        r = self.client.get(f"{self.url}report/")
        self.assertContains(r, "+Archive")
        self.assertContains(r, "Too large.")
        self.assertContains(r, "11 mailboxes")

    def test_the_table_has_a_line_for_each_and_no_formula(self) -> None:
        r = self.client.get(f"{self.url}report.csv")
        content: bytes = r.getvalue()
        text = content.decode("utf-8-sig")
        lines = text.splitlines()
        self.assertEqual(len(lines), 1 + 11 + 1)
        self.assertNotIn(",=cmd", text)
        self.assertNotIn(",+Archive", text)
        self.assertIn("12,60000000,", lines[-1])
        self.assertTrue(lines[-1].endswith("Too large."))
