from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from purelymanage.audit import notices
from purelymanage.audit.events import Event
from purelymanage.audit.models import Entry, Notice
from purelymanage.migrations.models import Job, Run
from purelymanage.migrations.operations import jobs, secrets
from purelymanage.migrations.operations.digests import tell_of_batches
from tests.migrations.waiting_runs import WithRuns


class ExpiryTests(WithRuns):
    """Passwords whose date has come."""

    def add(
        self, source: str, job: dict[str, Any] | None = None, **columns: Any
    ) -> Run:
        run = super().add(source, job, **columns)
        secrets.seal_secret(run.job, "canary")
        secrets.seal_destination_secret(run.job, "canary of the destination")
        run.job.login = Job.Login.RIGHT
        run.job.secret_expires_at = timezone.now() - timedelta(seconds=1)
        run.job.save()
        return run

    def end(self, run: Run, **columns: Any) -> None:
        columns = {"finished_at": timezone.now()} | columns
        Run.objects.filter(pk=run.pk).update(**columns)

    def told(self) -> list[str]:
        notices.make_notices()
        mine = Notice.objects.of(self.olga).order_by("entry__sequence")
        return list(mine.values_list("entry__event", flat=True))

    def test_both_passwords_go_and_the_page_says_so(self) -> None:
        job = self.add("ada@old.example").job
        until = timezone.localtime(job.secret_expires_at)
        self.assertIn(f"at most until {until.day} ", job.secret_in_words)
        self.assertEqual(secrets.wipe_expired_secrets(), 1)
        job.refresh_from_db()
        self.assertEqual((job.source_secret, job.destination_secret), ("", ""))
        self.assertTrue(job.needs_password)
        self.assertIn("The password was erased on", job.secret_in_words)
        job.destination_server = self.server
        self.assertIn("Both passwords were erased on", job.secret_in_words)
        self.assertEqual(secrets.wipe_expired_secrets(), 0)

    def test_the_page_of_the_job_says_it(self) -> None:
        job = self.add("ada@old.example").job
        self.client.force_login(self.adam)
        url = f"/migrations/jobs/{job.pk}/"
        self.assertContains(self.client.get(url), "kept sealed until the copy is")
        secrets.wipe_expired_secrets()
        self.assertContains(self.client.get(url), "The password was erased on")

    def test_a_run_that_waits_ends_and_its_password_is_asked_for(self) -> None:
        run = self.add("ada@old.example")
        secrets.wipe_expired_secrets()
        run.refresh_from_db()
        self.assertEqual(run.state, Run.State.FAILED)
        self.assertEqual(run.trouble, Run.Trouble.PASSWORD)
        self.assertIn("erased at its date", run.failure)
        self.assertEqual(self.told(), [Event.SOURCE_PASSWORD_EXPIRED])

    def test_a_run_that_works_keeps_it_until_its_end(self) -> None:
        run = self.add("ada@old.example")
        Run.objects.update(
            state=Run.State.RUNNING, lease_until=timezone.now() + timedelta(minutes=1)
        )
        self.assertEqual(secrets.wipe_expired_secrets(), 0)
        self.end(run, state=Run.State.DONE, dry_run=False)
        self.assertEqual(secrets.wipe_expired_secrets(), 1)
        self.assertEqual(self.told(), [], "nothing waits for it")

    def test_a_plan_that_nobody_ran_is_told(self) -> None:
        self.end(self.add("ada@old.example"), state=Run.State.DONE)
        secrets.wipe_expired_secrets()
        self.assertEqual(self.told(), [Event.SOURCE_PASSWORD_EXPIRED])

    def test_what_was_stopped_or_has_failed_goes_quietly(self) -> None:
        for number, state in enumerate((Run.State.STOPPED, Run.State.FAILED)):
            self.end(self.add(f"{number}@old.example"), state=state)
        self.assertEqual(secrets.wipe_expired_secrets(), 2)
        self.assertEqual(self.told(), [])

    def test_a_batch_is_told_of_once(self) -> None:
        batch = self.add_batch("Move", domains=["shop.example"])
        for number in range(3):
            self.add(f"{number}@old.example", {"batch": batch})
        late = Job.objects.latest("pk")
        late.secret_expires_at = timezone.now() + timedelta(seconds=30)
        late.save()
        # One of them had begun, and waited to go on.
        Run.objects.filter(job=late).update(started_at=timezone.now(), attempt=1)
        self.assertEqual(secrets.wipe_expired_secrets(), 3)
        tell_of_batches()
        self.assertEqual(self.told(), [Event.BATCH_NEEDS_PASSWORDS])
        entry = Entry.objects.get(event=Event.BATCH_NEEDS_PASSWORDS)
        self.assertEqual(
            entry.sentence,
            "needs the passwords of 3 mailboxes of the batch Move again, which were "
            "erased at their date",
        )

    def test_not_those_whose_date_has_not_come(self) -> None:
        batch = self.add_batch("Move")
        self.add("ada@old.example", {"batch": batch})
        self.add("ben@old.example")
        Job.objects.update(secret_expires_at=timezone.now() + timedelta(minutes=1))
        self.assertEqual(secrets.wipe_expired_secrets(), 0)

    def test_it_is_kept_for_thirty_days(self) -> None:
        job = Job()
        secrets.seal_secret(job, "canary")
        assert job.secret_expires_at is not None
        self.assertEqual((job.secret_expires_at - timezone.now()).days, 29)
        with self.settings(PASSWORDS_KEPT_DAYS=7):
            secrets.seal_secret(job, "canary")
        self.assertEqual((job.secret_expires_at - timezone.now()).days, 6)

    def test_removing_a_job_erases_both(self) -> None:
        run = self.add("ada@old.example")
        self.end(run, state=Run.State.DONE)
        jobs.remove_job(job=run.job, actor=self.adam)
        run.job.refresh_from_db()
        secrets_left = run.job.source_secret + run.job.destination_secret
        self.assertEqual(secrets_left, "")
        self.assertTrue(run.job.secret_wiped_at)
