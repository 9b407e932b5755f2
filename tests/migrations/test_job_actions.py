from __future__ import annotations

from unittest import mock

from django.utils import timezone

from purelymanage.errors import Refused
from purelymanage.migrations import job_actions
from purelymanage.migrations.models import Job, JobAction, Run
from purelymanage.migrations.operations import jobs_many
from tests.migrations.batch_cases import State, add_jobs
from tests.migrations.test_batch_detail import BatchCase


class JobActionTests(BatchCase):
    def ask(self, count: int, kind: str = "plan") -> JobAction:
        jobs = add_jobs(self.batch, count)
        return jobs_many.ask_of_jobs(
            batch=self.batch, kind=kind, keys=[it.pk for it in jobs], actor=self.adam
        )

    def test_a_second_delivery_does_nothing(self) -> None:
        action = self.ask(3)
        self.assertEqual(job_actions.carry_out(action.pk), "3 of 3 done, 0 refused")
        self.assertIn("done already", job_actions.carry_out(action.pk))
        self.assertEqual(Run.objects.count(), 3)

    def test_what_a_killed_worker_left_is_taken_up(self) -> None:
        action = self.ask(5)
        held = jobs_many.claim_action(action.pk)
        assert held is not None
        jobs_many.do_next(held)
        jobs_many.do_next(held)
        self.assertIn("in other hands", job_actions.carry_out(action.pk))
        JobAction.objects.update(lease_until=timezone.now())
        self.assertEqual(job_actions.sweep(), "1 actions")
        self.assertEqual(job_actions.carry_out(action.pk), "5 of 5 done, 0 refused")
        self.assertEqual(Run.objects.count(), 5)
        with self.assertRaises(jobs_many.Lost):
            jobs_many.do_next(held)

    def test_long_ones_let_others_have_their_turn(self) -> None:
        action = self.ask(3)
        with mock.patch.object(job_actions, "SLICE", 0.0):
            job_actions.carry_out(action.pk)
        action.refresh_from_db()
        self.assertEqual((action.done, action.finished_at), (1, None))
        job_actions.carry_out(action.pk)
        self.assertEqual(Run.objects.queued().count(), 3)

    def test_one_thing_at_a_time(self) -> None:
        self.ask(1)
        with self.assertRaisesMessage(Refused, "Something else"):
            self.ask(1)

    def test_who_lost_the_right_meanwhile_does_nothing(self) -> None:
        action = self.ask(2)
        self.adam.domain_scope = ["example.org"]
        self.adam.save()
        self.assertEqual(job_actions.carry_out(action.pk), "2 of 2 done, 2 refused")
        action.refresh_from_db()
        self.assertIn("may not do this any more", action.refusals[0][2])
        self.assertFalse(Run.objects.filter(state=State.QUEUED).exists())

    def test_who_was_limited_meanwhile_copies_nothing_elsewhere(self) -> None:
        action = self.ask(2)
        # As jobs into another server are
        Job.objects.update(destination_domain="")
        self.adam.domain_scope = ["example.org"]
        self.adam.save()
        self.assertEqual(job_actions.carry_out(action.pk), "2 of 2 done, 2 refused")
        self.assertFalse(Run.objects.exists())
