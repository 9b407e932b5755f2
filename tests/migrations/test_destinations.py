"""Where a copy may go: a mailbox to be created, and other servers."""

from __future__ import annotations

from unittest import mock

import pytest

from purelymanage.deletions.models import Kind
from purelymanage.domains.models import Domain
from purelymanage.mailboxes.followers import Rename
from purelymanage.mailboxes.models import HandOver, Mailbox
from purelymanage.mailboxes.operations import hand_overs
from purelymanage.migrations.deletions import COMPANION
from purelymanage.migrations.following import FOLLOWER
from purelymanage.migrations.models import Job, Run, Server
from purelymanage.migrations.operations import jobs, new_mailboxes, runs, secrets
from purelymanage.purelymail.sandbox.demo_mail import password_of
from tests.migrations.cases import SMALL, MigrationTestCase

URL = "/migrations/jobs/new/"
NEW = "fresh@shop.example"
ELSEWHERE = "anna@old-provider.example"


class NewMailboxTests(MigrationTestCase):
    def setUp(self) -> None:
        super().setUp()
        Domain.objects.create(name="shop.example", symbolic_subaddressing=False)
        self.client.force_login(self.adam)
        self.form = {
            "server": self.server.pk,
            "source_user": SMALL,
            "password": password_of(SMALL),
            "kind": "own",
            "destination": NEW,
            "creates_destination": "on",
        }

    def prepared(self) -> Job:
        self.client.post(URL, self.form)
        return Job.objects.get()

    def copied(self, job: Job) -> Run:
        runs.stop_run(run=job.runs.get(is_newest=True), actor=self.adam)
        return self.copied_again(job)

    def copied_again(self, job: Job) -> Run:
        return self.carry_out(runs.queue_run(job=job, dry_run=False, actor=self.adam))

    def test_the_plan_creates_nothing(self) -> None:
        job = self.prepared()
        run = self.carry_out(job.runs.get())
        self.assertEqual((run.state, run.to_copy), (Run.State.DONE, 40))
        self.assertEqual(run.engine, "pipeline")
        self.assertNotIn(NEW, self.sandbox.account.state.users)

    @pytest.mark.slow
    def test_the_copy_creates_it_and_makes_a_link(self) -> None:
        run = self.copied(self.prepared())
        self.assertEqual(run.verdict, Run.Verdict.COMPLETE)
        self.assertEqual(run.copied, 40)
        job = run.job
        job.refresh_from_db()
        assert job.hand_over is not None
        token = hand_overs.link_of(job.hand_over).rstrip("/").rpartition("/")[2]
        shown = hand_overs.view_hand_over(token=token)
        self.assertTrue(self.sandbox.account.state.users[NEW])
        self.assertTrue(shown.password)
        self.assertEqual(job.destination_secret, "")

    @pytest.mark.slow
    def test_the_link_is_shown_to_those_who_may_send_it(self) -> None:
        job = self.prepared()
        url = f"/migrations/jobs/{job.pk}/"
        self.carry_out(job.runs.get())
        r = self.client.get(url)
        self.assertContains(r, "the copy creates it")
        self.assertContains(r, "New folders")
        self.copied_again(job)
        r = self.client.get(url)
        job.refresh_from_db()
        assert job.hand_over is not None
        link = hand_overs.link_of(job.hand_over)
        self.assertContains(r, link)
        self.assertEqual(r["Cache-Control"], "no-store")
        self.client.force_login(self.audrey)
        r = self.client.get(url)
        self.assertNotContains(r, link)
        self.assertContains(r, "Nobody has looked at the password")

    @pytest.mark.slow
    def test_a_crash_after_creating_loses_no_password(self) -> None:
        job = self.prepared()
        with (
            mock.patch.object(
                new_mailboxes, "make_hand_over", side_effect=KeyboardInterrupt
            ),
            self.assertRaises(KeyboardInterrupt),
        ):
            self.copied(job)
        job.refresh_from_db()
        self.assertIn(NEW, self.sandbox.account.state.users)
        self.assertNotEqual(job.destination_secret, "")
        run = self.carry_out(job.runs.get(is_newest=True))
        self.assertEqual(run.verdict, Run.Verdict.COMPLETE)
        self.assertEqual(HandOver.objects.count(), 1)

    @pytest.mark.slow
    def test_a_mail_server_that_does_not_know_it_yet_loses_no_password(self) -> None:
        job = self.prepared()
        _, _, port = self.sandbox.source_imap.rpartition(":")  # nor will it ever
        with self.settings(PURELYMAIL_IMAP_PORT=int(port)):
            new_mailboxes.ensure_mailbox(job=job)
        self.assertEqual(HandOver.objects.count(), 1)

    @pytest.mark.slow
    def test_one_that_somebody_else_creates_is_theirs(self) -> None:
        job = self.prepared()
        body = {"userName": "fresh", "domainName": "shop.example", "password": "x1y2"}
        self.sandbox.account.call("createUser", body)
        Mailbox.objects.create(address=NEW, domain="shop.example")
        run = self.copied(job)
        self.assertEqual(run.verdict, Run.Verdict.COMPLETE)
        self.assertFalse(HandOver.objects.exists())

    @pytest.mark.slow
    def test_a_refusal_is_told(self) -> None:
        self.fault("error", "createUser", message="No more mailboxes.")
        run = self.copied(self.prepared())
        self.assertEqual(run.trouble, Run.Trouble.DESTINATION)
        self.assertIn("No more mailboxes.", run.failure)

    def test_only_on_domains_of_the_account(self) -> None:
        r = self.client.post(URL, self.form | {"destination": "a@elsewhere.example"})
        self.assertContains(r, "not a domain of this account", status_code=422)
        r = self.client.post(URL, self.form | {"destination": "a..b@shop.example"})
        self.assertContains(r, "not a complete mail address", status_code=422)
        self.assertFalse(Job.objects.exists())


class OtherServerTests(MigrationTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.adam)
        there = self.server
        self.other = Server.objects.create(
            name="Elsewhere", host=there.host, port=there.port, created_by=self.olga
        )
        self.form = {
            "server": self.server.pk,
            "source_user": SMALL,
            "password": password_of(SMALL),
            "kind": "other",
            "destination_server": self.other.pk,
            "destination_user": ELSEWHERE,
            "destination_password": password_of(ELSEWHERE),
        }

    @pytest.mark.slow
    def test_it_is_copied_and_both_passwords_go(self) -> None:
        self.client.post(URL, self.form)
        job = Job.objects.get()
        self.assertNotIn(password_of(ELSEWHERE), job.destination_secret)
        self.assertEqual(job.destination_domain, "")
        self.carry_out(job.runs.get())
        run = runs.queue_run(job=job, dry_run=False, actor=self.adam)
        run = self.carry_out(run)
        self.assertEqual(run.verdict, Run.Verdict.COMPLETE)
        self.assertEqual(run.copied, 40)
        job.refresh_from_db()
        self.assertEqual((job.source_secret, job.destination_secret), ("", ""))

    def test_its_password_is_tried_at_once(self) -> None:
        r = self.client.post(URL, self.form | {"destination_password": "wrong"})
        self.assertContains(r, "Check the user name and the password", status_code=422)
        self.assertNotContains(r, password_of(SMALL), status_code=422)
        self.assertFalse(Job.objects.exists())

    @pytest.mark.slow
    def test_everything_is_needed(self) -> None:
        form = {k: v for k, v in self.form.items() if "destination" not in k}
        r = self.client.post(URL, form)
        self.assertContains(r, "Choose the server that it lies on.", status_code=422)
        self.assertContains(r, "Enter the password of this mailbox.", status_code=422)

    def test_nobody_copies_a_mailbox_into_itself(self) -> None:
        same = {"destination_user": SMALL, "destination_password": password_of(SMALL)}
        r = self.client.post(URL, self.form | same)
        self.assertContains(r, "are the same mailbox", status_code=422)

    def test_limited_people_stay_within_their_domains(self) -> None:
        self.client.force_login(self.lina)
        self.assertNotContains(self.client.get(URL), "A mailbox somewhere else")
        self.assertEqual(self.client.post(URL, self.form).status_code, 422)
        self.assertFalse(Job.objects.exists())

    @pytest.mark.slow
    def test_a_mailbox_of_ours_with_the_same_name_has_no_part_in_it(self) -> None:
        self.client.post(URL, self.form)
        Mailbox.objects.create(address=ELSEWHERE, domain="old-provider.example")
        freeze = COMPANION.freeze
        assert freeze is not None
        freeze(Kind.MAILBOX, [ELSEWHERE], self.adam)
        self.assertEqual(Run.objects.get().state, Run.State.QUEUED)
        rename = Rename(old=ELSEWHERE, new="a@shop.example")
        self.assertEqual(list(FOLLOWER.lines(rename, self.adam)), [])
        FOLLOWER.move(rename)
        self.assertEqual(Job.objects.get().destination, ELSEWHERE)

    @pytest.mark.slow
    def test_a_changed_password_is_told_and_replaced(self) -> None:
        self.client.post(URL, self.form)
        job = Job.objects.get()
        secrets.seal_destination_secret(job, "outdated")
        job.save()
        run = self.carry_out(job.runs.get())
        self.assertEqual(run.trouble, Run.Trouble.PASSWORD)
        jobs.replace_password(
            job=job,
            password=password_of(SMALL),
            destination_password=password_of(ELSEWHERE),
            dry_run=True,
            actor=self.adam,
        )
        run = self.carry_out(job.runs.get(is_newest=True))
        self.assertEqual(run.state, Run.State.DONE)
