from __future__ import annotations

from datetime import timedelta
from unittest import mock

from django.core.cache import cache
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.test import TestCase
from django.utils import timezone
from django_q.models import OrmQ

from purelymanage.audit.mail import queue_mail
from purelymanage.audit.models import OutgoingMail
from purelymanage.broker import CLUSTERS
from purelymanage.dashboard import facts
from purelymanage.dashboard.facts import Vitals, vitals
from purelymanage.domains.models import SyncRun

HOUR = timedelta(hours=1)


class VitalsTests(TestCase):
    def setUp(self) -> None:
        cache.clear()
        for name in CLUSTERS:
            cache.set(f"pulse:{name}", "asks for work", 30)

    def test_all_is_well(self) -> None:
        SyncRun.objects.create(state="done", finished_at=timezone.now())
        found = vitals()
        self.assertTrue(found.is_well)
        self.assertEqual((found.problems, found.warnings), ([], []))
        self.assertLess(abs(found.database.clock_ahead), timedelta(seconds=1))

    def test_three_questions_are_enough(self) -> None:
        vitals()
        with self.assertNumQueries(3):
            vitals()

    def test_a_silent_cluster_is_a_problem(self) -> None:
        cache.delete("pulse:migrations")
        found = vitals()
        self.assertEqual(found.clusters, {"default": True, "migrations": False})
        self.assertEqual(found.problems, ["Nobody works on copies."])

    def test_short_tasks_may_not_wait_for_long(self) -> None:
        now = timezone.now()
        for key in CLUSTERS:
            OrmQ.objects.create(key=key, payload="", lock=now - HOUR)
        # A worker has this one in hand.
        OrmQ.objects.create(key="default", payload="", lock=now + HOUR)
        found = vitals()
        self.assertEqual(found.tasks["default"].count, 1)
        oldest = found.tasks["migrations"].oldest
        assert oldest is not None
        self.assertAlmostEqual(oldest / HOUR, 1, places=1)
        self.assertEqual(len(found.problems), 1)
        self.assertIn("Short tasks wait", found.problems[0])

    def test_mail_that_does_not_go_out_is_told(self) -> None:
        for number in range(3):
            queue_mail(to=f"p{number}@example.org", subject="Hello", text="there")
        mail = OutgoingMail.objects.order_by("pk")
        mail.filter(pk=mail[0].pk).update(queued_at=timezone.now() - HOUR)
        mail.filter(pk=mail[2].pk).update(
            state="failed", settled_at=timezone.now(), sealed=""
        )
        found = vitals()
        self.assertEqual((found.mail.count, found.mail_given_up), (2, 1))
        self.assertEqual(len(found.warnings), 2)
        self.assertTrue(found.is_well)

    def test_an_old_mirror_is_told(self) -> None:
        run = SyncRun.objects.create(
            state="done", finished_at=timezone.now() - 5 * HOUR
        )
        self.assertEqual(
            vitals().warnings, ["The account has not been read for some hours."]
        )
        SyncRun.objects.create(
            state="failed", finished_at=timezone.now(), reason="The token is wrong."
        )
        self.assertEqual(
            vitals().warnings, ["The account could not be read from PurelyMail."]
        )
        run.delete()

    def test_it_does_not_wait_for_the_first_sync(self) -> None:
        self.assertEqual(vitals().warnings, [])

    def test_clocks_that_differ_are_told(self) -> None:
        ahead = timezone.now() + HOUR
        with mock.patch.object(timezone, "now", return_value=ahead):
            found = vitals()
        self.assertAlmostEqual(found.database.clock_ahead / HOUR, 1, places=2)
        self.assertIn("The clock of this machine is not that of", found.warnings[-1])

    def test_a_database_that_is_gone_is_told(self) -> None:
        # The database driver is not ours, and stopping the server would stop the tests.
        with mock.patch.object(connection, "cursor", side_effect=OperationalError):
            found = vitals()
        self.assertEqual(found.problems, ["The database does not answer."])
        self.assertEqual(found.clusters, {})

    def test_missing_migrations_are_told(self) -> None:
        with (
            mock.patch.object(facts, "_is_migrated", new=False),
            mock.patch.object(
                MigrationExecutor, "migration_plan", return_value=["one"]
            ),
        ):
            found: Vitals = vitals()
        self.assertIn("not up to date", found.problems[0])
