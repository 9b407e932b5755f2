"""Copies that make a pause: hours, budgets of a day, and those that got stuck."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from purelymanage.migrations import progress, queue
from purelymanage.migrations.engines.base import (
    FolderProgress,
    FolderState,
    Outcome,
    Phase,
    Progress,
    Stop,
    Verdict,
)
from purelymanage.migrations.engines.pipeline.engine import PipelineEngine
from purelymanage.migrations.limits import next_day, today
from purelymanage.migrations.models import Attempt, Job, Run, Server, ServerDay
from purelymanage.migrations.progress import ProgressWriter
from purelymanage.migrations.watchdog import PATIENCE, patience
from tests.migrations.cases import MigrationTestCase
from tests.migrations.waiting_runs import WithRuns


class HoldTests(WithRuns):
    def setUp(self) -> None:
        self.enterContext(mock.patch.object(progress, "EVERY", 0))
        self.enterContext(mock.patch.object(progress, "HOURS_EVERY", 0))
        self.other = self.add_server("New")
        self.run_ = self.add(
            "a",
            {"destination_server": self.other},
            state=Run.State.RUNNING,
            attempt=1,
            lease_until=timezone.now() + timedelta(minutes=1),
        )
        Run.objects.update(dry_run=False)
        self.report = ProgressWriter(self.run_, is_stopping=lambda: False)
        self.folder = FolderProgress("INBOX", "INBOX", messages=10, bytes=1000)

    def copy(self, size: int, phase: Phase = Phase.COPYING) -> None:
        self.folder.bytes_copied = size
        self.report(Progress(phase=phase, folders=[self.folder]))

    def rest(self, server: Server, **columns: Any) -> None:
        now = timezone.localtime()
        Server.objects.filter(pk=server.pk).update(
            pause_from=(now - timedelta(hours=1)).time(),
            pause_until=(now + timedelta(hours=2)).time(),
        )

    def test_hours_that_come_on_either_side_make_it_pause(self) -> None:
        for server in (self.server, self.other):
            with self.subTest(server=server.name):
                report = ProgressWriter(self.run_, is_stopping=lambda: False)
                report(Progress(folders=[self.folder]))
                self.rest(server)
                with self.assertRaises(Stop):
                    report(Progress(folders=[self.folder]))
                assert report.hold is not None
                self.assertEqual(report.hold.reason, f"{server.name} rests")
                Server.objects.update(pause_from=None, pause_until=None)

    def test_a_limit_that_was_lowered_makes_it_pause(self) -> None:
        Server.objects.filter(pk=self.other.pk).update(bytes_a_day=1000)
        day = ServerDay.objects.create(
            server=self.other, day=today(timezone.now()).date(), bytes=1000
        )
        # All that was given out, perhaps to this one.
        self.copy(300)
        day.bytes = 1001
        day.save()
        with self.assertRaises(Stop):
            self.copy(400)
        assert self.report.hold is not None
        self.assertTrue(self.report.hold.is_budget)
        self.assertEqual(self.report.hold.until, next_day(timezone.now()))

    def test_a_copy_without_movement_is_stuck_after_a_while(self) -> None:
        self.copy(300)
        moved_at = Run.objects.get().moved_at
        self.assertIsNotNone(moved_at)
        now = time.monotonic()
        with mock.patch.object(time, "monotonic") as clock:
            clock.return_value = now + 120
            self.copy(300)
            self.assertEqual(Run.objects.get().moved_at, moved_at)
            self.folder.copied = 1
            self.copy(400)
            self.assertNotEqual(Run.objects.get().moved_at, moved_at)
            clock.return_value = now + 600
            self.copy(400)
            clock.return_value = now + 721
            with self.assertRaises(Stop):
                self.copy(400)
        assert self.report.stall is not None
        self.assertIn("for 10 minutes while copying", self.report.stall.sentence)


class PatienceTests(WithRuns):
    def test_huge_folders_get_more_time_for_their_headers(self) -> None:
        def wait(phase: Phase, messages: int = 0, largest: int = 0) -> timedelta:
            folder = FolderProgress("INBOX", "INBOX", messages, 0, largest)
            return patience(Progress(phase=phase, folders=[folder]))

        self.assertEqual(wait(Phase.READING), PATIENCE[Phase.READING])
        self.assertGreater(
            wait(Phase.READING, messages=500_000), timedelta(minutes=100)
        )
        self.assertGreater(wait(Phase.COPYING, largest=60_000_000), timedelta(hours=1))
        self.assertEqual(
            wait(Phase.CONNECTING, messages=9_999_999), PATIENCE[Phase.CONNECTING]
        )


@pytest.mark.slow
class GivenBackTests(MigrationTestCase):
    def test_the_budget_of_a_day_is_no_failure(self) -> None:
        Server.objects.update(bytes_a_day=20_000)
        run = self.carry_out(self.new_run(dry_run=False))
        self.assertEqual((run.state, run.trouble), (Run.State.QUEUED, "budget"))
        self.assertEqual((run.retries, run.verdict), (0, ""))
        self.assertEqual(run.not_before, next_day(timezone.now()))
        self.assertGreater(run.copied, 0)
        self.assertLessEqual(run.bytes_copied, 20_000)
        self.assertEqual(ServerDay.objects.get().bytes, run.bytes_copied)
        self.assertIn("limit of the day", queue.why_waiting([run])[run.pk])

        Server.objects.update(bytes_a_day=None)
        run = self.carry_out_again(run)
        self.assertEqual((run.verdict, run.copied_in_all), ("complete", 40))
        self.assertEqual(ServerDay.objects.get().bytes, run.bytes_copied_in_all)
        self.assertEqual(
            list(Attempt.objects.order_by("number").values_list("end", "trouble")),
            [("postponed", "budget"), ("settled", "")],
        )

    def test_hours_give_it_back_and_say_when_it_goes_on(self) -> None:
        run = self.new_run(dry_run=False)
        original = PipelineEngine.copy

        def copy(*args: Any) -> Outcome:
            now = timezone.localtime()
            Server.objects.update(
                pause_from=(now - timedelta(hours=1)).time(),
                pause_until=(now + timedelta(hours=2)).time(),
            )
            return original(*args)

        with (
            mock.patch.object(PipelineEngine, "copy", autospec=True, side_effect=copy),
            mock.patch.object(progress, "HOURS_EVERY", -1),
        ):
            run = self.carry_out(run)
        self.assertEqual((run.state, run.trouble), (Run.State.QUEUED, ""))
        self.assertIn("Old provider rests, continues", run.detail)
        self.assertIsNone(run.not_before)
        self.assertEqual(queue.dispatch(), 0)
        self.assertIn(
            "Old provider rests. It goes on", queue.why_waiting([run])[run.pk]
        )
        self.assertIn("migration.put_off", self.events())

        Server.objects.update(pause_from=None, pause_until=None)
        self.assertEqual(queue.dispatch(), 1)
        self.assertEqual(self.carry_out(run).verdict, Run.Verdict.COMPLETE)

    def test_one_that_is_stuck_is_tried_again_and_told_from_the_second_time(
        self,
    ) -> None:
        run = self.new_run(dry_run=False)

        def copy(*args: Any) -> Outcome:
            report = args[4]
            folder = FolderProgress("INBOX", "INBOX", state=FolderState.COPYING)
            snapshot = Progress(phase=Phase.COPYING, folders=[folder])
            report(snapshot)
            now = time.monotonic()
            with mock.patch.object(time, "monotonic", return_value=now + 900):
                try:
                    report(snapshot)
                except Stop:
                    return Outcome(
                        verdict=Verdict.STOPPED,
                        dry_run=False,
                        folders=[folder],
                        errors=[],
                        messages_copied=0,
                        messages_already_there=0,
                        messages_failed=0,
                        bytes_copied=0,
                        seconds=900,
                    )
            raise AssertionError

        with mock.patch.object(PipelineEngine, "copy", autospec=True, side_effect=copy):
            run = self.carry_out(run)
            self.assertEqual((run.state, run.trouble), (Run.State.QUEUED, "stalled"))
            self.assertNotIn("migration.stalled", self.events())
            run = self.carry_out_again(run)
            self.assertEqual(self.events().count("migration.stalled"), 1)
        run = self.carry_out_again(run)
        self.assertEqual(run.verdict, Run.Verdict.COMPLETE)
        self.assertEqual(Job.objects.get().source_secret, "")
