"""A clock that was ahead, and was set right."""

from __future__ import annotations

from datetime import timedelta
from unittest import mock

from django.core.cache import cache
from django.db import connection
from django.test import TestCase
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from purelymanage import schedules
from purelymanage.audit import mail
from purelymanage.audit.models import OutgoingMail
from purelymanage.domains.models import Domain, Health, SyncRun
from purelymanage.domains.operations import looks, syncing
from purelymanage.domains.sync import _claim
from purelymanage.purelymail import budget

HOURS = timedelta(hours=6)


class ClockWasAheadTests(TestCase):
    def setUp(self) -> None:
        self.now = timezone.now()
        self.ahead = self.now + HOURS
        with mock.patch("django.utils.timezone.now", return_value=self.ahead):
            self.happen()
        mock.patch.object(schedules, "_looked_at", float("-inf")).start()
        self.addCleanup(mock.patch.stopall)

    def happen(self) -> None:
        schedules.write_schedules()
        Schedule.objects.update(next_run=timezone.now())
        syncing.request_sync()
        SyncRun.objects.update(started_at=self.ahead)
        mail.queue_mail(to="olga@example.org", subject="One", text="It is late.")
        OutgoingMail.objects.update(queued_at=self.ahead, next_try_at=self.ahead)
        cache.set(mail.SILENT, self.ahead.timestamp(), mail.SILENT_FOR)
        self.addCleanup(cache.clear)
        domain = Domain.objects.create(name="example.org")
        Health.objects.create(
            domain=domain, looked_at=timezone.now(), next_look_at=timezone.now()
        )

    def test_schedules_and_tasks_go_on(self) -> None:
        schedules.bring_back()
        late = Schedule.objects.filter(next_run__gt=timezone.now())
        # What is due once a day may be so far off.
        self.assertFalse(late.exclude(schedule_type=Schedule.DAILY).exists())
        self.assertEqual(OrmQ.objects.filter(lock__gt=timezone.now()).count(), 0)

    def test_what_waits_as_it_should_is_left_alone(self) -> None:
        soon = timezone.now() + timedelta(minutes=1)
        Schedule.objects.update(next_run=soon)
        locked = timezone.now() + timedelta(minutes=5)
        OrmQ.objects.update(lock=locked)
        schedules.bring_back()
        self.assertFalse(Schedule.objects.exclude(next_run=soon).exists())
        self.assertFalse(OrmQ.objects.exclude(lock=locked).exists())

    def test_it_costs_two_queries_now_and_then(self) -> None:
        with self.assertNumQueries(2):
            schedules.bring_back()
            schedules.bring_back()

    def test_mail_goes_out(self) -> None:
        mail.tidy()
        self.assertEqual(mail.send_due(), 1)
        self.assertEqual(OutgoingMail.objects.get().state, OutgoingMail.State.SENT)

    def test_domains_are_looked_at(self) -> None:
        self.assertEqual(len(looks._claim_due(10)), 1)

    def test_a_sync_that_nobody_does_is_asked_for_anew(self) -> None:
        OrmQ.objects.all().delete()
        self.assertTrue(syncing.request_sync())
        self.assertEqual(OrmQ.objects.count(), 1)

    def test_a_sync_whose_worker_is_gone_holds_up_no_other(self) -> None:
        SyncRun.objects.update(state=SyncRun.State.RUNNING)
        run = _claim()
        assert run is not None
        self.assertLess(run.started_at, self.ahead)

    def test_the_newest_sync_is_the_last_one(self) -> None:
        SyncRun.objects.update(state=SyncRun.State.DONE, finished_at=self.now + HOURS)
        SyncRun.objects.create(
            state=SyncRun.State.FAILED, finished_at=self.now, reason="No answer."
        )
        self.assertEqual(SyncRun.objects.freshness().reason, "No answer.")


class DatabaseClockWasAheadTests(TestCase):
    def test_purelymail_may_be_asked(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO purelymail_bucket (id, full_at)"
                " VALUES (1, clock_timestamp() + interval '6 hours')"
            )
        waits = [budget._reserve("listUser", 5.0) for _ in range(6)]
        self.assertTrue(all(wait <= 0 for wait in waits), waits)
