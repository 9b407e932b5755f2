from __future__ import annotations

from datetime import timedelta
from unittest import mock

from django.utils import timezone

from purelymanage.migrations import progress
from purelymanage.migrations.engines.base import (
    FolderProgress,
    FolderState,
    ItemError,
    Outcome,
    Phase,
    Progress,
    Stop,
    Verdict,
)
from purelymanage.migrations.models import Job, Run, Server
from purelymanage.migrations.progress import ProgressWriter, Samples
from tests.cast import CastTestCase
from tests.migrations.cases import ADDRESS


class ProgressWriterTests(CastTestCase):
    def setUp(self) -> None:
        self.enterContext(mock.patch.object(progress, "EVERY", 0))
        server = Server.objects.create(
            name="Old", host="old.example", created_by=self.olga
        )
        job = Job.objects.create(
            server=server,
            source_user="old",
            destination=ADDRESS,
            destination_domain="shop.example",
            created_by=self.adam,
        )
        self.run_ = Run.objects.create(
            job=job,
            pair=job.pair,
            dry_run=False,
            state=Run.State.RUNNING,
            attempt=1,
            lease_until=timezone.now() + timedelta(seconds=5),
        )
        self.is_stopping = False
        self.report = ProgressWriter(self.run_, is_stopping=lambda: self.is_stopping)
        self.folders = [
            FolderProgress("INBOX", "INBOX", messages=10, bytes=1000),
            FolderProgress("Entwürfe", "Drafts", messages=2, bytes=50),
        ]

    def snapshot(self, **others: object) -> Progress:
        progress = Progress(phase=Phase.COPYING, folders=self.folders)
        for name, value in others.items():
            setattr(progress, name, value)
        return progress

    def test_it_writes_the_figures_and_extends_the_lease(self) -> None:
        self.report(self.snapshot(detail="copying INBOX"))
        run = Run.objects.get()
        assert run.lease_until is not None
        self.assertGreater(run.lease_until, timezone.now() + timedelta(seconds=20))
        self.assertEqual((run.phase, run.detail), ("copying", "copying INBOX"))
        self.assertEqual((run.messages, run.bytes, run.folder_count), (12, 1050, 2))
        self.assertEqual([it.source for it in run.folders.all()], ["INBOX", "Entwürfe"])

    def test_only_what_changed_is_written_again(self) -> None:
        self.report(self.snapshot())
        # One statement for the run, between the two of its savepoint.
        with self.assertNumQueries(3):
            self.report(self.snapshot())
        self.folders[1].copied = 2
        self.folders[1].state = FolderState.DONE
        with self.assertNumQueries(4):
            self.report(self.snapshot())
        folder = Run.objects.get().folders.get(position=1)
        self.assertEqual((folder.copied, folder.state), (2, "done"))
        first = Run.objects.get().folders.get(position=0)
        assert first.written_at is not None and folder.written_at is not None
        self.assertLess(first.written_at, folder.written_at)

    def test_errors_are_written_once(self) -> None:
        errors = [ItemError("INBOX", 7, 60_000_000, "It is too large.")]
        self.report(self.snapshot(errors=errors))
        errors.append(ItemError("INBOX", 8, 0, "with a \0 in it"))
        self.report(self.snapshot(errors=errors))
        uids = Run.objects.get().errors.values_list("uid", flat=True)
        self.assertEqual(sorted(uids), [7, 8])

    def test_the_log_is_bounded(self) -> None:
        with mock.patch.object(progress, "LOG_EVERY", 0.0):
            for number in range(30):
                self.report(self.snapshot(log=["ü" * 100] * 50 + [f"line {number}"]))
        kept = Run.objects.get().log
        self.assertLessEqual(len(kept.encode()), progress.LOG_LENGTH)
        self.assertGreater(len(kept.encode()), progress.LOG_LENGTH * 3 // 4)
        self.assertRegex(kept, r"\A\d\d:\d\d:\d\d  ")
        self.assertTrue(kept.endswith("line 29\n"))

    def test_the_log_names_nobody(self) -> None:
        self.report(self.snapshot(log=["BAD <anna@old.example> unknown, b@c:"]))
        self.assertIn("BAD <…> unknown, …:", Run.objects.get().log)

    def test_the_log_is_not_written_each_time(self) -> None:
        self.report(self.snapshot(log=["first"]))
        self.report(self.snapshot(log=["second"]))
        self.assertNotIn("second", Run.objects.get().log)
        outcome = Outcome(
            verdict=Verdict.COMPLETE,
            dry_run=False,
            folders=[],
            errors=[],
            messages_copied=0,
            messages_already_there=0,
            messages_failed=0,
            bytes_copied=0,
            seconds=1,
        )
        self.assertIn("second", self.report.figures(outcome)["log"])

    def test_a_wish_to_stop_ends_the_copy(self) -> None:
        Run.objects.update(stop_requested_at=timezone.now())
        with self.assertRaises(Stop):
            self.report(self.snapshot())

    def test_a_wish_to_stop_is_noticed_between_two_writings(self) -> None:
        self.report(self.snapshot())
        with mock.patch.object(progress, "EVERY", 60):
            with self.assertNumQueries(1):
                self.report(self.snapshot())
            Run.objects.update(stop_requested_at=timezone.now())
            with self.assertRaises(Stop):
                self.report(self.snapshot())

    def test_it_names_the_folder_that_grows(self) -> None:
        for folder in self.folders:
            folder.state, folder.to_copy = FolderState.COPYING, folder.messages
        self.report(self.snapshot(detail="copying Entwürfe"))
        self.assertEqual(Run.objects.get().detail, "copying INBOX")

    def test_a_lost_lease_ends_the_copy_and_nothing_is_written(self) -> None:
        Run.objects.update(attempt=2)
        with self.assertRaises(Stop):
            self.report(self.snapshot())
        self.assertEqual(Run.objects.get().messages, 0)
        self.assertFalse(Run.objects.get().folders.exists())

    def again(self, **figures: int) -> ProgressWriter:
        """Let the next attempt begin, which finds this in its first folder."""
        run = Run.objects.get()
        run.copied_earlier += run.copied
        run.attempt, run.copied = run.attempt + 1, 0
        run.save()
        for name, value in ({"copied": 0, "bytes_copied": 0} | figures).items():
            setattr(self.folders[0], name, value)
        return ProgressWriter(run, is_stopping=lambda: False)

    def test_what_a_killed_worker_could_not_report_is_counted(self) -> None:
        inbox = self.folders[0]
        inbox.already_there, inbox.to_copy, inbox.bytes_to_copy = 2, 8, 800
        self.report(self.snapshot())
        inbox.copied, inbox.bytes_copied = 3, 300
        self.report(self.snapshot())
        self.assertEqual(Run.objects.get().copied_earlier, 0)

        # It had brought a fourth message.
        report = self.again(already_there=6, to_copy=4, bytes_to_copy=400)
        self.assertEqual(Run.objects.get().copied_in_all, 3)
        report(self.snapshot())
        inbox.copied, inbox.bytes_copied = 4, 400
        report(self.snapshot())
        run = Run.objects.get()
        self.assertEqual((run.copied_in_all, run.to_copy_in_all), (8, 8))
        self.assertEqual((run.bytes_copied_in_all, run.there_before), (800, 2))

    def test_what_comes_to_be_there_meanwhile_was_not_copied(self) -> None:
        inbox = self.folders[0]
        inbox.to_copy = 10
        self.report(self.snapshot())
        inbox.already_there, inbox.to_copy = 1, 9
        self.report(self.snapshot())
        self.assertEqual(Run.objects.get().copied_in_all, 0)

    def test_the_first_figures_of_a_phase_are_written_at_once(self) -> None:
        self.report(self.snapshot(phase=Phase.READING))
        self.folders[0].already_there = 4
        with mock.patch.object(progress, "EVERY", 60):
            self.report(self.snapshot())
        self.assertEqual(Run.objects.get().there_at_first, 4)

    def test_a_cluster_that_stops_ends_the_copy(self) -> None:
        self.is_stopping = True
        with self.assertRaises(Stop):
            self.report(self.snapshot())
        self.assertEqual(Run.objects.get().messages, 12)

    def test_folders_of_an_earlier_attempt_go(self) -> None:
        self.report(self.snapshot())
        self.folders.pop()
        again = ProgressWriter(self.run_, is_stopping=lambda: False)
        again(self.snapshot())
        self.assertEqual(Run.objects.get().folders.count(), 1)


def test_samples_stay_few_and_end_with_the_present() -> None:
    samples = Samples()
    for second in range(10_000):
        samples.add(second, second * 2, second * 1000)
    assert len(samples.points) <= progress.MOST_SAMPLES + 1
    assert samples.points[0] == [0, 0, 0]
    assert samples.points[-1] == [9_999, 19_998, 9_999_000]
    seconds = [point[0] for point in samples.points]
    assert seconds == sorted(set(seconds))
