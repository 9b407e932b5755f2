from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from purelymanage.audit.models import Entry
from purelymanage.figures import thin
from purelymanage.mailboxes.models import Mailbox
from purelymanage.migrations.engines.base import Outcome, Verdict
from purelymanage.migrations.models import Job, Run, RunError, RunFolder
from purelymanage.migrations.models.runs import LEASE
from purelymanage.migrations.operations import queue_rules, secrets, settling
from purelymanage.purelymail.sandbox.demo_mail import password_of
from tests.cast import HTMX
from tests.migrations.cases import OTHER_ADDRESS, SMALL, MigrationTestCase


class JobDetailTests(MigrationTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.adam)
        self.run_ = self.new_run()
        self.url = f"/migrations/jobs/{self.run_.job_id}/"

    def start(self, **columns: object) -> None:
        self.run_.refresh_from_db()
        for name, value in {
            "state": Run.State.RUNNING,
            "dry_run": False,
            "phase": Run.Phase.COPYING,
            "attempt": 1,
            "started_at": timezone.now() - timedelta(minutes=1),
            "lease_until": timezone.now() + LEASE,
            "messages": 1500,
            "bytes": 1_000_000,
            "bytes_to_copy": 800_000,
            "bytes_copied": 300_000,
            "samples": [[it, it * 10, it * 5000] for it in range(60)],
            "folder_count": 2,
            "detail": "copying Archive",
            **columns,
        }.items():
            setattr(self.run_, name, value)
        self.run_.save()

    def test_a_waiting_run_asks_for_itself_again(self) -> None:
        r = self.client.get(self.url)
        self.assertContains(r, 'hx-trigger="every 2s"')
        self.assertContains(r, "tarts in a moment", 1)
        self.assertContains(r, "Stop")

    def test_before_both_sides_are_read_it_tells_what_was_seen(self) -> None:
        self.start(phase="reading", to_copy=0, copied=0)
        r = self.client.get(self.url)
        self.assertContains(r, "seen so far, in 2 folders")
        self.assertNotContains(r, "of 0 messages")

    def test_what_is_copied_before_all_was_read_is_not_told_as_a_share(self) -> None:
        self.start(phase="reading", to_copy=70, copied=31)
        r = self.client.get(self.url)
        self.assertContains(r, "seen so far, in 2 folders")
        self.assertContains(r, "<dt>Copied</dt><dd>31</dd>")
        self.assertNotContains(r, "of 70 messages")

    def test_a_running_copy_tells_how_far_it_is(self) -> None:
        self.start()
        r = self.client.get(self.url, headers=HTMX)
        self.assertTemplateNotUsed(r, "base.html")
        self.assertContains(r, "Copying Archive")
        self.assertContains(r, 'data-title="50 %"')
        self.assertContains(r, "About 2 minutes left")
        self.assertContains(r, "10 messages a second")
        self.assertContains(r, "<svg")

    @pytest.mark.slow
    def test_a_worker_that_fell_silent_has_neither_pace_nor_end(self) -> None:
        heard_at = timezone.now() - timedelta(seconds=10)
        self.start(lease_until=heard_at + LEASE)
        r = self.client.get(self.url, headers=HTMX)
        since = f"{timezone.localtime(heard_at):%H:%M:%S}"
        self.assertContains(r, f"No sign of life since {since}")
        self.assertContains(r, "It resumes by itself within about two minutes.")
        for words in ("messages a second", "finishes near", 'class="chart"'):
            self.assertNotContains(r, words)
        r = self.client.get("/migrations/")
        self.assertContains(r, f"No sign of life since {since}")
        self.assertContains(r, "It resumes by itself")
        self.assertContains(self.client.get("/"), "No sign of life")

    def test_page_list_and_audit_log_agree_on_an_interrupted_copy(self) -> None:
        self.start(messages=1383, copied_earlier=166, already_there=166)
        figures = {"copied": 1217, "to_copy": 1217, "already_there": 166}
        outcome = Outcome(
            verdict=Verdict.COMPLETE,
            dry_run=False,
            folders=[],
            errors=[],
            messages_copied=1217,
            messages_already_there=166,
            messages_failed=0,
            bytes_copied=0,
            seconds=1,
        )
        settling.settle_success(run=self.run_, outcome=outcome, figures=figures)
        r = self.client.get(self.url)
        self.assertContains(
            r, f"<dd>{thin(1383)}</dd><dd>of {thin(1383)} messages, 166"
        )
        self.assertContains(r, "<dt>There already</dt><dd>0</dd>")
        r = self.client.get("/migrations/")
        self.assertContains(r, f'data-label="Copied">{thin(1383)}<')
        finished = Entry.objects.get(event="migration.finished")
        self.assertIn(f"{thin(1383)} messages copied", finished.details["summary"])
        self.assertIn("0 there already", finished.details["summary"])

    def test_a_silent_worker_that_was_to_stop_will_not_resume(self) -> None:
        now = timezone.now()
        self.start(lease_until=now, stop_requested_at=now)
        r = self.client.get(self.url, headers=HTMX)
        self.assertContains(r, "It ends by itself within about two minutes.")

    def test_nothing_is_expected_of_a_worker_that_signs_in(self) -> None:
        self.start(samples=[], phase=Run.Phase.CONNECTING)
        self.assertNotContains(self.client.get(self.url), "No sign of life")

    def test_what_tidies_up_is_not_called_done(self) -> None:
        self.start(phase=Run.Phase.DONE)
        r = self.client.get(self.url)
        self.assertContains(r, "Finishing")
        self.assertContains(r, "Ends in a moment")

    def test_it_tells_what_happened_to_the_mailbox(self) -> None:
        self.assertContains(self.client.get(self.url), "What happened")
        self.assertNotContains(self.client.get(self.url, headers=HTMX), "What happened")

    @pytest.mark.slow
    def test_a_plan_is_run_from_its_page(self) -> None:
        self.carry_out(self.run_)
        r = self.client.get(self.url)
        self.assertNotContains(r, "every 2s")
        self.assertContains(r, "The plan is ready")
        self.assertContains(r, "Run it")

        r = self.client.post(f"{self.url}run/", {"kind": "copy"})
        self.assertRedirects(r, self.url)
        copy = Run.objects.get(is_newest=True)
        self.assertFalse(copy.dry_run)
        self.carry_out(copy)
        r = self.client.get(self.url)
        self.assertContains(r, "both sides were counted and agree")
        self.assertContains(r, "Earlier runs")

    @pytest.mark.slow
    def test_running_again_asks_for_an_erased_password(self) -> None:
        self.carry_out(self.run_)
        self.client.post(f"{self.url}run/", {"kind": "copy"})
        self.carry_out(Run.objects.get(is_newest=True))
        r = self.client.post(f"{self.url}run/", {"kind": "copy"})
        self.assertRedirects(r, f"{self.url}password/?kind=copy")

        r = self.client.post(f"{self.url}password/", {"password": "wrong"})
        self.assertContains(r, "Check the user name", status_code=422)
        self.assertEqual(Job.objects.get().source_secret, "")
        r = self.client.post(f"{self.url}password/", {"password": password_of(SMALL)})
        self.assertRedirects(r, self.url)
        again = self.carry_out(Run.objects.get(is_newest=True))
        self.assertFalse(again.dry_run)
        self.assertEqual((again.copied, again.already_there), (0, 40))

    @pytest.mark.slow
    def test_a_wrong_password_leads_to_a_new_one(self) -> None:
        secrets.seal_secret(self.run_.job, "outdated")
        self.run_.job.save()
        self.carry_out(self.run_)
        self.carry_out_again(self.run_)
        r = self.client.get(self.url)
        self.assertContains(r, "Needs a password")
        self.assertContains(r, f"{self.url}password/")

    def test_errors_are_grouped_with_what_to_do(self) -> None:
        self.start(failed=4)
        RunError.objects.bulk_create(
            RunError(run=self.run_, folder=folder, uid=uid, size=60_000_000, reason=why)
            for folder, uid, why in (
                ("Archive", 1, "The destination refused it: [TOOBIG] too large"),
                ("Archive", 2, "The destination refused it: [TOOBIG] too large"),
                ("Sent", 9, "The destination refused it: [TOOBIG] too large"),
                ("Sent", 5, "The connection broke each time it was copied."),
            )
        )
        r = self.client.get(self.url)
        self.assertContains(r, "3 messages in Archive, Sent")
        self.assertContains(r, "stays in the old mailbox.")
        self.assertContains(r, "1 message in Sent")
        self.assertNotContains(r, "List as CSV")

    def test_items_are_listed_once_the_run_has_ended(self) -> None:
        now = timezone.now()
        ended = {"state": Run.State.DONE, "finished_at": now, "lease_until": None}
        self.start(failed=1, verdict="complete_with_skips", **ended)
        RunError.objects.create(
            run=self.run_, folder="=Archive", uid=7, size=9, reason="x", arrived_at=now
        )
        r = self.client.get(self.url)
        url = f"/migrations/runs/{self.run_.pk}/left-out.csv"
        self.assertContains(r, url)
        self.assertContains(r, '<th scope="row">=Archive</th>')
        r = self.client.get(url)
        lines = r.getvalue().decode("utf-8-sig").splitlines()
        self.assertEqual(lines[0], "Folder,UID,Size,Arrived,Reason")
        self.assertTrue(lines[1].startswith("'=Archive,7,9,"))

    @pytest.mark.slow
    def test_each_earlier_run_has_a_page(self) -> None:
        self.carry_out(self.run_)
        again = {"state": Run.State.QUEUED, "dry_run": True}
        Run.objects.update(is_newest=False)
        Run.objects.create(job=self.run_.job, pair=self.run_.pair, **again)
        url = f"/migrations/runs/{self.run_.pk}/"
        self.assertContains(self.client.get(self.url), url)
        r = self.client.get(url)
        self.assertContains(r, "Dry run of")
        self.assertContains(r, "by pipeline")
        self.assertNotContains(r, 'id="run-plan"')
        self.assertNotContains(r, "every 2s")

    def test_why_it_waits_is_said_once(self) -> None:
        queue_rules.pause_queue(actor=self.adam)
        r = self.client.get(self.url)
        self.assertContains(r, "The queue is paused", 1)
        Run.objects.update(attempt=1, detail="Interrupted, resumes by itself")
        r = self.client.get(self.url)
        self.assertContains(r, "Interrupted, resumes by itself")
        self.assertContains(r, "The queue is paused.", 1)
        later = timezone.now() + timedelta(minutes=5)
        told = {"trouble": "throttled", "failure": "The server is busy."}
        Run.objects.update(not_before=later, **told)
        r = self.client.get(self.url)
        self.assertContains(r, "The next try is")
        self.assertNotContains(r, "It goes on at")

    @pytest.mark.slow
    def test_a_password_may_be_replaced_any_time_but_while_it_is_used(self) -> None:
        link = f"{self.url}password/"
        self.assertContains(self.client.get(self.url), link)
        self.start()
        self.assertNotContains(self.client.get(self.url), link)
        Run.objects.all().delete()
        self.assertContains(self.client.get(self.url), link)
        self.client.force_login(self.audrey)
        self.assertNotContains(self.client.get(self.url), link)

    @pytest.mark.slow
    def test_a_job_whose_login_was_wrong_has_a_page(self) -> None:
        job = self.run_.job
        Run.objects.all().delete()
        Job.objects.update(login=Job.Login.WRONG, login_words="Wrong password.")
        r = self.client.get(self.url)
        self.assertContains(r, "Wrong password.")
        self.assertContains(r, f"/migrations/jobs/{job.pk}/password/")
        Job.objects.update(login=Job.Login.TRYING)
        self.assertContains(self.client.get(self.url), "every 2s")
        self.assertEqual(self.client.get(self.url, headers=HTMX).status_code, 204)

    def test_names_are_escaped(self) -> None:
        self.start()
        RunFolder.objects.create(run=self.run_, position=0, source="<script>x")
        self.assertNotContains(self.client.get(self.url), "<script>x")

    def test_the_log_is_plain_text(self) -> None:
        self.start(log="<b>INBOX</b>")
        url = f"/migrations/runs/{self.run_.pk}/log/"
        r = self.client.get(url)
        self.assertEqual(r.content, b"<b>INBOX</b>")
        self.assertEqual(r["Content-Type"], "text/plain; charset=utf-8")
        r = self.client.get(f"{url}?download")
        self.assertIn("attachment", r["Content-Disposition"])

    @pytest.mark.slow
    def test_no_page_shows_a_password(self) -> None:
        for url in (self.url, f"{self.url}password/", "/migrations/"):
            r = self.client.get(url)
            self.assertNotContains(r, password_of(SMALL))
            self.assertNotContains(r, Job.objects.get().source_secret)

    @pytest.mark.slow
    def test_auditors_look_but_do_not_touch(self) -> None:
        self.client.force_login(self.audrey)
        r = self.client.get(self.url)
        self.assertNotContains(r, 'id="stop"')
        for action in ("run", "stop", "password"):
            r = self.client.post(f"{self.url}{action}/")
            self.assertEqual(r.status_code, 403, action)

    @pytest.mark.slow
    def test_limited_people_see_copies_into_their_domains(self) -> None:
        other = self.new_run(destination=OTHER_ADDRESS)
        url = f"/migrations/jobs/{other.job_id}/"
        self.client.force_login(self.lina)
        self.assertEqual(self.client.get(self.url).status_code, 200)
        self.assertEqual(self.client.get(url).status_code, 404)
        for path in ("", "log/", "left-out.csv"):
            r = self.client.get(f"/migrations/runs/{other.pk}/{path}")
            self.assertEqual(r.status_code, 404, path)
        for action in ("run", "stop", "password"):
            r = self.client.post(f"{url}{action}/")
            self.assertEqual(r.status_code, 404, action)

    @pytest.mark.slow
    def test_a_mailbox_that_vanished_is_told(self) -> None:
        self.carry_out(self.run_)
        Mailbox.objects.update(gone_at=timezone.now())
        r = self.client.post(f"{self.url}run/", {"kind": "copy"}, follow=True)
        self.assertContains(r, "There is no mailbox")
        self.assertEqual(Run.objects.count(), 1)
