from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db.models import F
from django.test import override_settings
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.exceptions import TimeoutException

from purelymanage.errors import Refused
from purelymanage.mailboxes.models import AppPassword
from purelymanage.mailboxes.tasks import revoke_app_passwords
from purelymanage.migrations import tasks
from purelymanage.migrations.engines.base import Outcome
from purelymanage.migrations.engines.pipeline.engine import PipelineEngine
from purelymanage.migrations.models import Job, Run, Server
from purelymanage.migrations.operations import jobs, runs, secrets
from purelymanage.migrations.operations.settling import MOST_LOST
from purelymanage.purelymail import client
from purelymanage.purelymail.sandbox.demo_mail import password_of
from tests.migrations.cases import ADDRESS, SMALL, MigrationTestCase


class RunJobTests(MigrationTestCase):
    @pytest.mark.slow
    def test_a_plan_copies_nothing(self) -> None:
        run = self.carry_out(self.new_run())
        self.assertEqual(run.state, Run.State.DONE)
        self.assertEqual(run.verdict, Run.Verdict.COMPLETE)
        self.assertEqual((run.messages, run.to_copy, run.copied), (40, 40, 0))
        self.assertEqual(run.folders.count(), 2)
        # The copy that follows still needs it.
        self.assertNotEqual(run.job.source_secret, "")

    @pytest.mark.slow
    def test_a_copy_is_complete_and_the_next_one_finds_all_there(self) -> None:
        plan = self.carry_out(self.new_run())
        run = runs.queue_run(job=plan.job, dry_run=False, actor=self.adam)
        run = self.carry_out(run)
        self.assertEqual(run.verdict, Run.Verdict.COMPLETE)
        self.assertEqual((run.copied, run.already_there), (40, 0))

        job = Job.objects.get()
        self.assertEqual(job.source_secret, "")
        self.assertIsNotNone(job.secret_wiped_at)
        secrets.seal_secret(job, "old-provider-demo-info")
        job.save()
        delta = runs.queue_run(job=job, dry_run=False, actor=self.adam)
        delta = self.carry_out(delta)
        self.assertEqual(delta.verdict, Run.Verdict.COMPLETE)
        self.assertEqual((delta.copied, delta.already_there), (0, 40))

    def test_the_audit_log_tells_the_whole_story(self) -> None:
        self.carry_out(self.new_run())
        self.assertEqual(
            self.events(),
            [
                "migration.created",
                "migration.queued",
                "migration.started",
                "migration.password_opened",
                "mailbox.app_password_created",
                "migration.finished",
                "mailbox.app_password_revoked",
            ],
        )

    @pytest.mark.slow
    def test_the_app_password_is_gone_afterwards(self) -> None:
        with mock.patch.object(
            PipelineEngine, "copy", autospec=True, side_effect=PipelineEngine.copy
        ) as copy:
            self.carry_out(self.new_run())
        destination = copy.call_args.args[2]
        self.assertEqual(destination.user, ADDRESS)
        self.assertEqual(self.app_passwords(ADDRESS), 0)
        self.assertFalse(AppPassword.objects.exists())

    @pytest.mark.slow
    def test_a_second_delivery_does_nothing(self) -> None:
        run = self.carry_out(self.new_run())
        self.assertEqual(tasks.run_job(run.pk), "not queued any more")
        run.refresh_from_db()
        self.assertEqual((run.state, run.attempt), (Run.State.DONE, 1))

    @pytest.mark.slow
    def test_a_changed_source_password_is_told(self) -> None:
        run = self.new_run()
        secrets.seal_secret(run.job, "not-the-password")
        run.job.save()
        run = self.carry_out(run)
        # Once more, as servers refuse the right password too when they are busy.
        self.assertEqual(run.state, Run.State.QUEUED)
        assert run.not_before is not None
        self.assertGreater(run.not_before, timezone.now() + timedelta(minutes=5))
        run = self.carry_out_again(run)
        self.assertEqual(run.state, Run.State.FAILED)
        self.assertEqual(run.trouble, Run.Trouble.PASSWORD)
        self.assertIn("password", run.failure)
        self.assertNotIn("not-the-password", run.failure + run.technical)
        self.assertEqual(self.app_passwords(ADDRESS), 0)

    @pytest.mark.slow
    def test_a_refused_password_is_not_tried_again_until_it_is_replaced(self) -> None:
        run = self.new_run()
        secrets.seal_secret(run.job, "not-the-password")
        run.job.save()
        self.carry_out(run)
        self.carry_out_again(run)
        with self.assertRaisesRegex(Refused, "not accepted"):
            runs.queue_run(job=run.job, dry_run=True, actor=self.adam)

        jobs.replace_password(
            job=run.job, password=password_of(SMALL), actor=self.adam, dry_run=True
        )
        again = Run.objects.get(is_newest=True)
        self.assertEqual(self.carry_out(again).state, Run.State.DONE)

    def test_no_password_is_stored_for_a_server_that_moved_meanwhile(self) -> None:
        run = self.new_run()
        runs.stop_run(run=run, actor=self.adam)
        job = Job.objects.select_related("server").get()
        stored = job.source_secret
        # While the login is tried, somebody else points the server elsewhere.
        Server.objects.update(host="elsewhere.example")
        with self.assertRaisesRegex(Refused, "was changed while"):
            jobs.replace_password(job=job, password=password_of(SMALL), actor=self.adam)
        job.refresh_from_db()
        self.assertEqual(job.source_secret, stored)
        with self.assertRaisesRegex(Refused, "was changed while"):
            self.new_run()
        self.assertEqual(Job.objects.count(), 1)

    @pytest.mark.slow
    def test_a_new_password_wakes_what_waits_for_its_second_try(self) -> None:
        run = self.new_run()
        secrets.seal_secret(run.job, "not-the-password")
        run.job.save()
        self.carry_out(run)
        jobs.replace_password(
            job=run.job, password=password_of(SMALL), actor=self.adam, dry_run=True
        )
        self.assertEqual(Run.objects.get().pk, run.pk)
        self.assertEqual(self.carry_out(run).state, Run.State.DONE)

    @pytest.mark.slow
    def test_a_login_refused_by_the_destination_asks_nobody(self) -> None:
        run = self.new_run()

        def copy(*args: Any) -> Outcome:
            password = args[2].password
            body = {"userName": ADDRESS, "appPassword": password}
            self.sandbox.account.call("deleteAppPassword", body)
            return original(*args)

        original = PipelineEngine.copy
        with mock.patch.object(PipelineEngine, "copy", autospec=True, side_effect=copy):
            run = self.carry_out(run)
        self.assertEqual(run.trouble, Run.Trouble.DESTINATION)
        self.assertEqual(run.state, Run.State.QUEUED)
        Run.objects.update(not_before=timezone.now())
        tasks.sweep()
        self.assertEqual(self.carry_out(run).state, Run.State.DONE)

    def test_a_refusal_of_purelymail_ends_the_run(self) -> None:
        self.fault("error", "createAppPassword", message="No more app passwords.")
        run = self.carry_out(self.new_run())
        self.assertEqual(run.state, Run.State.FAILED)
        self.assertEqual(run.trouble, Run.Trouble.DESTINATION)
        self.assertIn("No more app passwords.", run.failure)
        self.assertFalse(AppPassword.objects.exists())

    @pytest.mark.slow
    def test_a_silent_purelymail_is_tried_again_later(self) -> None:
        self.fault("status_500", "createAppPassword")
        run = self.carry_out(self.new_run())
        self.assertEqual(run.state, Run.State.QUEUED)
        assert run.not_before is not None
        self.assertGreater(run.not_before, timezone.now())
        self.assertIn("answered with an error", run.failure)
        # Nobody knows whether it was made, which the sweep tells after a while.
        AppPassword.objects.update(revoke_after=timezone.now())
        revoke_app_passwords()
        self.assertFalse(AppPassword.objects.exists())
        self.assertIn("mailbox.app_password_left", self.events())

        Run.objects.update(not_before=timezone.now())
        tasks.sweep()
        self.assertEqual(self.queued()[-1:], [run.pk])
        self.assertEqual(self.carry_out(run).state, Run.State.DONE)

    @pytest.mark.slow
    def test_an_unreachable_source_is_tried_again_a_few_times(self) -> None:
        run = self.new_run()
        self.server.port = 9  # nobody listens there
        self.server.save()
        run = self.carry_out(run)
        self.assertEqual(run.state, Run.State.QUEUED)
        self.assertEqual(run.trouble, Run.Trouble.CONNECTION)
        Run.objects.update(not_before=None, handed_at=timezone.now(), retries=7)
        run = self.carry_out(run)
        self.assertEqual(run.state, Run.State.FAILED)
        self.assertIn("migration.failed", self.events())

    def test_an_app_password_that_stays_is_revoked_by_the_sweep(self) -> None:
        self.fault("status_500", "deleteAppPassword")
        run = self.carry_out(self.new_run())
        self.assertEqual(run.state, Run.State.DONE)
        self.assertEqual(self.app_passwords(ADDRESS), 1)

        revoke_app_passwords()
        self.assertEqual(self.app_passwords(ADDRESS), 1, "too early")
        AppPassword.objects.update(revoke_after=timezone.now())
        revoke_app_passwords()
        self.assertEqual(self.app_passwords(ADDRESS), 0)
        self.assertFalse(AppPassword.objects.exists())

    @pytest.mark.slow
    def test_a_revocation_that_changed_nothing_is_not_believed(self) -> None:
        self.fault("silent_success", "deleteAppPassword", times=2)
        self.carry_out(self.new_run())
        self.assertTrue(AppPassword.objects.exists())
        AppPassword.objects.update(revoke_after=timezone.now())
        revoke_app_passwords()
        self.assertIn("mailbox.app_password_left", self.events())
        AppPassword.objects.update(revoke_after=timezone.now())
        revoke_app_passwords()
        self.assertFalse(AppPassword.objects.exists())

    @pytest.mark.slow
    def test_one_that_was_revoked_by_hand_is_gone_too(self) -> None:
        self.fault("drop_after", "deleteAppPassword")
        with mock.patch.object(client, "TIMEOUT", 2.0):
            self.carry_out(self.new_run())
        self.assertEqual(self.app_passwords(ADDRESS), 0)
        AppPassword.objects.update(revoke_after=timezone.now())
        revoke_app_passwords()
        self.assertFalse(AppPassword.objects.exists())

    @pytest.mark.slow
    def test_a_mistake_of_ours_ends_the_run_and_is_raised(self) -> None:
        run = self.new_run()
        with (
            mock.patch.object(PipelineEngine, "copy", side_effect=KeyError("x")),
            self.assertRaises(KeyError),
        ):
            tasks.run_job(run.pk)
        run.refresh_from_db()
        self.assertEqual(run.state, Run.State.FAILED)
        self.assertEqual(run.technical, "KeyError")
        self.assertEqual(self.app_passwords(ADDRESS), 0)

    def test_the_time_limit_of_the_queue_gives_the_run_back(self) -> None:
        run = self.new_run()
        with (
            mock.patch.object(PipelineEngine, "copy", side_effect=TimeoutException),
            self.assertRaises(SystemExit),
        ):
            tasks.run_job(run.pk)
        run.refresh_from_db()
        self.assertEqual(run.state, Run.State.QUEUED)
        self.assertEqual(self.app_passwords(ADDRESS), 0)
        self.assertIn("migration.interrupted", self.events())

    def test_a_run_taken_over_by_somebody_else_is_left_alone(self) -> None:
        run = self.new_run()

        def lose_lease(*args: Any) -> Outcome:
            Run.objects.update(attempt=F("attempt") + 1)
            return copy(*args)

        copy = PipelineEngine().copy
        with mock.patch.object(PipelineEngine, "copy", side_effect=lose_lease):
            tasks.run_job(run.pk)
        run.refresh_from_db()
        self.assertEqual((run.state, run.attempt), (Run.State.RUNNING, 2))
        self.assertEqual(run.messages, 0)

    @override_settings(MIGRATION_ENGINE="imapsync", IMAPSYNC_BIN="")
    def test_an_engine_that_is_not_there_is_told(self) -> None:
        run = self.carry_out(self.new_run())
        self.assertEqual(run.state, Run.State.FAILED)
        self.assertIn("imapsync", run.failure)


class SweepTests(MigrationTestCase):
    @pytest.mark.slow
    def test_a_run_whose_worker_died_is_queued_again(self) -> None:
        run = self.new_run()
        held = runs.claim_run(pk=run.pk, host="gone.example")
        assert held is not None
        tasks.sweep()
        run.refresh_from_db()
        self.assertEqual(run.state, Run.State.RUNNING, "too early")

        Run.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        tasks.sweep()
        run.refresh_from_db()
        self.assertEqual(run.state, Run.State.QUEUED)
        self.assertIsNotNone(run.handed_at)
        self.assertEqual(self.queued(), [run.pk, run.pk])
        run = self.carry_out(run)
        self.assertEqual((run.state, run.attempt), (Run.State.DONE, 2))

    @pytest.mark.slow
    def test_a_cluster_that_asks_for_work_resumes_it(self) -> None:
        run = self.new_run()
        runs.claim_run(pk=run.pk, host="gone.example")
        get_broker("migrations").dequeue()
        run.refresh_from_db()
        self.assertEqual(run.state, Run.State.RUNNING, "too early")

        Run.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        get_broker("default").dequeue()
        run.refresh_from_db()
        self.assertEqual(run.state, Run.State.RUNNING, "no copies are made there")
        get_broker("migrations").dequeue()
        run.refresh_from_db()
        self.assertEqual(run.state, Run.State.QUEUED)
        self.assertIsNotNone(run.handed_at)

    def test_one_that_was_to_be_stopped_ends(self) -> None:
        run = self.new_run()
        runs.claim_run(pk=run.pk, host="gone.example")
        runs.stop_run(run=run, actor=self.adam)
        Run.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        tasks.sweep()
        run.refresh_from_db()
        self.assertEqual(run.state, Run.State.STOPPED)

    @pytest.mark.slow
    def test_one_that_loses_each_worker_ends(self) -> None:
        run = self.new_run()
        for number in range(MOST_LOST):
            run.refresh_from_db()
            self.assertEqual(run.state, Run.State.QUEUED, number)
            runs.claim_run(pk=run.pk, host="gone.example")
            Run.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
            tasks.sweep()
        run.refresh_from_db()
        self.assertEqual(run.state, Run.State.FAILED)
        self.assertIn("lost its worker 10 times", run.failure)

    @pytest.mark.slow
    def test_passwords_are_erased_at_their_date(self) -> None:
        run = self.carry_out(self.new_run())
        tasks.sweep()
        self.assertNotEqual(Job.objects.get().source_secret, "")
        Job.objects.update(secret_expires_at=timezone.now())
        tasks.sweep()
        self.assertEqual(Job.objects.get().source_secret, "")
        self.assertIn("migration.password_wiped", self.events())
        run.job.refresh_from_db()
        self.assertTrue(run.job.needs_password)
