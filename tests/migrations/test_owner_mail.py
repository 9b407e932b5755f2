from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from purelymanage import crypto
from purelymanage.accounts.models import User
from purelymanage.audit.events import Event
from purelymanage.audit.models import Entry, OutgoingMail
from purelymanage.mailboxes.models import Mailbox
from purelymanage.migrations.models import Batch, Job, Run, RunError
from purelymanage.migrations.operations import owners, runs
from purelymanage.purelymail.sandbox.demo_mail import password_of
from tests.migrations.cases import ADDRESS, SMALL, MigrationTestCase


class OwnerMailTests(MigrationTestCase):
    batch: Batch

    def setUp(self) -> None:
        super().setUp()
        self.batch = Batch.objects.create(
            name="Move",
            server=self.server,
            tells_owners=True,
            confirmed_at=timezone.now(),
            domains=["shop.example"],
            created_by=self.adam,
        )
        User.objects.filter(pk=self.adam.pk).update(name="Adam Admin")

    def job_of(self, run: Run, **columns: Any) -> Job:
        Job.objects.filter(pk=run.job_id).update(batch=self.batch, **columns)
        return Job.objects.get(pk=run.job_id)

    def copy(self, **columns: Any) -> Run:
        """Plan and copy the smallest mailbox as a part of the batch."""
        plan = self.new_run()
        job = self.job_of(plan, **columns)
        self.carry_out(plan)
        self.assertFalse(self.mails(), "the plan tells nobody")
        run = runs.queue_run(job=job, dry_run=False, actor=self.adam)
        return self.carry_out(run)

    def mails(self) -> list[tuple[str, str]]:
        """The text and the HTML of the mails to the owner."""
        rows = OutgoingMail.objects.filter(recipient=ADDRESS).order_by("pk")
        found = []
        for mail in rows:
            text, html = json.loads(crypto.unseal(mail.sealed, bound_to=mail.place))
            found.append((text, html))
        return found

    @pytest.mark.slow
    def test_it_says_what_has_arrived_and_whom_to_ask(self) -> None:
        run = self.copy()
        self.assertEqual(run.verdict, Run.Verdict.COMPLETE)
        ((text, html),) = self.mails()
        for words in (
            "40 messages",
            f"from {SMALL} at Old provider are now in this mailbox",
            "Adam Admin: adam@example.org",
        ):
            self.assertIn(words, " ".join(text.split()))
        self.assertIn("<strong>40 messages", html)
        for body in (text, html):
            self.assertNotIn("left out", body)
            self.assertNotIn(password_of(SMALL), body)
        mail = OutgoingMail.objects.get(recipient=ADDRESS)
        self.assertEqual(mail.subject, f"Your mail from {SMALL} has arrived")
        self.assertTrue(Job.objects.get().owner_told_at)
        told = Entry.objects.get(event=Event.OWNER_TOLD)
        self.assertEqual(told.target, ADDRESS)

    @pytest.mark.slow
    def test_once(self) -> None:
        first = self.copy()
        job = first.job
        Job.objects.update(
            source_secret=crypto.seal(password_of(SMALL), bound_to=job.secret_place),
            secret_expires_at=timezone.now() + timedelta(days=1),
        )
        job.refresh_from_db()
        self.carry_out(runs.queue_run(job=job, dry_run=False, actor=self.adam))
        self.assertEqual(len(self.mails()), 1)

    @pytest.mark.slow
    def test_what_was_left_out_is_named(self) -> None:
        plan = self.new_run()
        self.carry_out(plan)
        job = self.job_of(plan, options={"since": "2001-02-03", "skip_junk": True})
        run = runs.queue_run(job=job, dry_run=False, actor=self.adam)
        run = self.carry_out(run)
        ((text, html),) = self.mails()
        for body in (text, html):
            self.assertIn("Only what arrived since 3 February 2001", body)
            self.assertIn("Without spam", body)

    def test_messages_that_could_not_be_copied_are_listed(self) -> None:
        run = self.new_run()
        self.job_of(run)
        run = Run.objects.select_related("job__batch").get(pk=run.pk)
        run.dry_run, run.verdict = False, Run.Verdict.SKIPPED
        run.messages, run.bytes, run.failed = 1_234, 31_000_000, 2
        run.started_at = timezone.now()
        RunError.objects.create(
            run=run,
            folder="<Plans>",
            uid=7,
            size=30_000_000,
            reason="[TOOBIG] Message too large",
            arrived_at=datetime(2019, 5, 12, 12, tzinfo=UTC),
        )
        RunError.objects.create(run=run, folder="INBOX", uid=8, size=9, reason="NO")
        self.assertTrue(owners.tell_owner(run))
        self.assertFalse(owners.tell_owner(run), "told already")
        ((text, html),) = self.mails()
        plain = text.replace("\u00a0", " ")
        self.assertIn("1 232 messages (1.0 MB)", plain.replace("\u202f", " "))
        self.assertIn("2 messages were left out", plain)
        said = "<Plans>, 12 May 2019, 30.0 MB: too large for the new mailbox"
        self.assertIn(f"- {said}", plain)
        self.assertIn("- INBOX, 9 bytes: could not be copied", plain)
        self.assertIn("&lt;Plans&gt;, 12 May 2019", html)

    def test_nor_where_it_is_no_mailbox_of_the_account_any_more(self) -> None:
        run = self.new_run()
        self.job_of(run)
        other = {"destination_server": self.server}
        for rows, there, gone in (
            (Job.objects, {"destination_server": None}, other),
            (
                Mailbox.objects.filter(address=ADDRESS),
                {"gone_at": None},
                {"gone_at": timezone.now()},
            ),
        ):
            rows.update(**gone)
            run = Run.objects.select_related("job__batch").get(pk=run.pk)
            run.dry_run, run.verdict = False, Run.Verdict.COMPLETE
            self.assertFalse(owners.tell_owner(run))
            rows.update(**there)

    @pytest.mark.slow
    def test_nothing_is_told_of_an_incomplete_copy(self) -> None:
        run = self.new_run()
        job = self.job_of(run)
        runs.stop_run(run=run, actor=self.adam)
        self.server.port = 9  # nobody listens there
        self.server.save()
        run = runs.queue_run(job=job, dry_run=False, actor=self.adam)
        Run.objects.filter(pk=run.pk).update(retries=7)
        self.assertEqual(self.carry_out(run).state, Run.State.FAILED)
        self.assertEqual(self.mails(), [])
        self.assertIsNone(Job.objects.get().owner_told_at)

    @pytest.mark.slow
    def test_only_where_the_batch_is_to_tell(self) -> None:
        Batch.objects.update(tells_owners=False)
        self.assertTrue(self.copy().is_complete)
        self.assertEqual(self.mails(), [])
