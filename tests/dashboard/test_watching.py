from __future__ import annotations

import logging
import os
from datetime import timedelta
from unittest import mock

from django.core.exceptions import DisallowedHost
from django.db import OperationalError, transaction
from django.test import TestCase
from django.utils import timezone

from purelymanage import error_notes, settings
from purelymanage.context import request_id
from purelymanage.dashboard import watching
from purelymanage.dashboard.models import ClusterReport, ErrorKind
from purelymanage.error_notes import KeepingHandler

NEVER = float("-inf")


class ErrorTests(TestCase):
    def setUp(self) -> None:
        error_notes._forget()
        self.addCleanup(error_notes._forget)
        self.logger = logging.getLogger("tests.watching")
        handler = KeepingHandler()
        self.logger.addHandler(handler)
        self.addCleanup(self.logger.removeHandler, handler)
        token = request_id.set("a-request")
        self.addCleanup(request_id.reset, token)

    def fail(self, words: str = "hunter2") -> None:  # type: ignore[override]
        try:
            raise OperationalError(words)
        except OperationalError:
            self.logger.exception("This says hunter2 as well.")

    def write_down(self) -> None:
        with mock.patch.object(error_notes, "EVERY", 0):
            watching.write_down_errors()

    def test_whatever_is_logged_goes_there(self) -> None:
        self.assertIn("kinds", settings.LOGGING["root"]["handlers"])
        handlers = settings.LOGGING["handlers"]
        self.assertTrue(handlers["kinds"]["class"].endswith(".KeepingHandler"))

    def test_kinds_are_counted_and_nothing_is_quoted(self) -> None:
        self.fail()
        self.fail("another text")
        self.write_down()
        self.fail()
        self.write_down()
        kind = ErrorKind.objects.get()
        self.assertEqual(
            (kind.kind, kind.count), ("django.db.utils.OperationalError", 3)
        )
        self.assertIn("tests/dashboard/test_watching.py:", kind.place)
        self.assertEqual(kind.request_id, "a-request")
        self.assertLess(kind.first_at, kind.last_at)
        self.assertNotIn("hunter2", str(vars(kind)))

    def test_errors_without_a_cause_are_told_by_their_place(self) -> None:
        self.logger.error("Something about %s", "hunter2")
        self.logger.warning("Nothing to keep")
        self.write_down()
        kind = ErrorKind.objects.get()
        self.assertEqual(kind.kind, "logged by tests.watching")
        self.assertTrue(kind.place.startswith("tests/dashboard/test_watching.py:"))
        self.assertNotIn("hunter2", str(vars(kind)))

    def test_answers_given_on_purpose_are_none(self) -> None:
        record = logging.makeLogRecord({"name": "django.request", "levelno": 40})
        KeepingHandler().emit(record)
        self.write_down()
        self.assertFalse(ErrorKind.objects.exists())

    def test_what_no_browser_sends_is_no_error_of_the_panel(self) -> None:
        logger = logging.getLogger("django.security.DisallowedHost")
        handler = KeepingHandler()
        logger.addHandler(handler)
        self.addCleanup(logger.removeHandler, handler)
        try:
            raise DisallowedHost
        except DisallowedHost:
            logger.exception("Invalid HTTP_HOST header.")
        self.write_down()
        self.assertFalse(ErrorKind.objects.exists())

    def test_a_storm_of_errors_is_one_write(self) -> None:
        self.fail()
        watching.write_down_errors()
        for _ in range(10):
            self.fail()
            with self.assertNumQueries(0):
                watching.write_down_errors()
        self.write_down()
        self.assertEqual(ErrorKind.objects.get().count, 11)

    def test_they_are_kept_while_the_database_is_away(self) -> None:
        self.fail()
        away = mock.patch.object(transaction, "get_connection", side_effect=OSError)
        with away:
            self.write_down()
        self.assertFalse(ErrorKind.objects.exists())
        self.fail()
        self.write_down()
        self.assertEqual(ErrorKind.objects.get().count, 2)

    def test_there_are_only_so_many(self) -> None:
        with mock.patch.object(error_notes, "MOST_KINDS", 3):
            for number in range(5):
                logging.getLogger(f"tests.watching.{number}").error("Something")
            self.write_down()
        self.assertEqual(ErrorKind.objects.count(), 3)
        with mock.patch.object(watching, "MOST_KINDS", 2):
            self.fail()
            self.write_down()
        self.assertEqual(ErrorKind.objects.count(), 2)
        self.assertTrue(ErrorKind.objects.filter(kind__endswith="Error").exists())

    def test_what_was_long_ago_is_forgotten(self) -> None:
        before = timezone.now() - timedelta(days=31)
        ErrorKind.objects.create(kind="a", place="b", first_at=before, last_at=before)
        self.assertFalse(ErrorKind.objects.recent().exists())
        self.fail()
        self.write_down()
        self.assertNotEqual(ErrorKind.objects.get().kind, "a")

    def test_a_request_writes_down_what_went_wrong_in_it(self) -> None:
        self.fail()
        self.client.get("/nowhere/")
        self.assertEqual(ErrorKind.objects.count(), 1)


class ReportTests(TestCase):
    def setUp(self) -> None:
        patch = mock.patch.object(watching, "_reported_at", NEVER)
        patch.start()
        self.addCleanup(patch.stop)

    def test_a_cluster_says_what_it_has_and_takes(self) -> None:
        in_hand = {os.getpid(): "run 17 2", os.getppid(): "task abc"}
        watching.report(cluster="migrations", in_hand=in_hand)
        found = ClusterReport.objects.get()
        self.assertEqual(found.pid, os.getppid())
        self.assertGreaterEqual(found.processes, 2)
        self.assertEqual(list(found.copies), ["17"])
        self.assertGreater(found.memory, found.copies["17"])
        self.assertGreater(found.copies["17"], 10_000_000)
        self.assertTrue(ClusterReport.objects.alive(timezone.now()).exists())

    def test_it_says_so_now_and_then(self) -> None:
        watching.report(cluster="default", in_hand={})
        began_at = ClusterReport.objects.get().began_at
        with self.assertNumQueries(0):
            watching.report(cluster="default", in_hand={})
        with mock.patch.object(watching, "REPORT_EVERY", 0):
            watching.report(cluster="default", in_hand={})
        self.assertEqual(ClusterReport.objects.get().began_at, began_at)

    def test_old_reports_are_forgotten(self) -> None:
        old = timezone.now() - timedelta(days=2)
        ClusterReport.objects.create(
            cluster="default", host="gone", pid=1, began_at=old, heard_at=old
        )
        watching.report(cluster="default", in_hand={})
        self.assertNotEqual(ClusterReport.objects.get().host, "gone")
