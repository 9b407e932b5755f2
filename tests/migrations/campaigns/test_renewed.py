"""New passwords that a sweep takes in when copies have ended."""

from __future__ import annotations

from datetime import timedelta
from unittest import mock

import pytest
from django.utils import timezone

from purelymanage.migrations.models import Campaign, Participant, Run, Submission
from purelymanage.migrations.operations import launching, renewals
from tests.migrations.campaigns.people import OLD, hand_over, numbered
from tests.migrations.campaigns.test_launching import LaunchTestCase

SECRET = "what-nobody-may-read"


class TakeInTests(LaunchTestCase):
    def setUp(self) -> None:
        super().setUp()
        people = self.hand_over(*numbered(4))
        self.launch()
        Submission.objects.all().delete()
        hand_over(people)

    def left(self) -> int:
        return Submission.objects.exclude(secret="").count()

    @pytest.mark.slow
    def test_one_that_fails_stops_nobody(self) -> None:
        renew = renewals.renew

        def fail_once(*, campaign: Campaign, participant: Participant) -> bool:
            if participant.address == f"user0@{OLD}":
                raise ValueError(SECRET)
            return renew(campaign=campaign, participant=participant)

        with (
            mock.patch.object(renewals, "renew", fail_once),
            self.assertLogs(launching.logger, "ERROR") as logs,
        ):
            self.assertEqual(launching.take_in_renewed(), 3)
        self.assertEqual(self.left(), 1)
        self.assertIn("ValueError", logs.output[0])
        self.assertNotIn(SECRET, logs.output[0])
        self.assertEqual(launching.take_in_renewed(), 1)

    @pytest.mark.slow
    def test_a_sweep_takes_so_many(self) -> None:
        with mock.patch.object(launching, "RENEWED_AT_ONCE", 3):
            self.assertEqual(launching.take_in_renewed(), 3)
            self.assertEqual(launching.take_in_renewed(), 1)
        self.assertEqual(self.left(), 0)

    @pytest.mark.slow
    def test_those_that_run_take_nobodys_turn(self) -> None:
        running = list(Run.objects.order_by("pk").values_list("pk", flat=True)[:3])
        Run.objects.filter(pk__in=running).update(
            state=Run.State.RUNNING, lease_until=timezone.now() + timedelta(minutes=1)
        )
        with mock.patch.object(launching, "RENEWED_AT_ONCE", 1):
            self.assertEqual(launching.take_in_renewed(), 1)
            self.assertEqual(launching.take_in_renewed(), 0)
