from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, connection, connections, transaction
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.migrations import queue
from purelymanage.migrations.models import Job, QueueRules, Run, Server
from purelymanage.migrations.operations import runs
from tests.account import add_job, add_server
from tests.cast import CastTestCase
from tests.migrations.cases import ADDRESS


class QueueTests(CastTestCase):
    server: Server

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.server = Server.objects.create(
            name="Old", host="old.example", created_by=cls.olga
        )

    def add(self, source: str, **columns: Any) -> Run:
        job = Job.objects.create(
            server=self.server,
            source_user=source,
            destination=ADDRESS,
            destination_domain="shop.example",
            created_by=self.adam,
        )
        return Run.objects.create(job=job, pair=job.pair, dry_run=True, **columns)

    def handed(self) -> list[str]:
        runs = Run.objects.filter(handed_at__isnull=False).order_by("queued_at", "pk")
        return list(runs.values_list("job__source_user", flat=True))

    def slots(self, count: int) -> None:
        QueueRules.objects.update_or_create(pk=1, defaults={"parallel_runs": count})

    def test_it_fills_the_free_slots_in_order(self) -> None:
        self.slots(2)
        for name in ("a", "b", "c"):
            self.add(name)
        self.assertEqual(queue.dispatch(), 2)
        self.assertEqual(self.handed(), ["a", "b"])
        self.assertEqual(OrmQ.objects.filter(key="migrations").count(), 2)

    def test_nothing_is_handed_out_twice(self) -> None:
        self.slots(5)
        self.add("a")
        queue.dispatch()
        self.assertEqual(queue.dispatch(), 0)
        self.assertEqual(OrmQ.objects.count(), 1)

    def test_a_pair_of_mailboxes_never_runs_twice_at_once(self) -> None:
        self.slots(5)
        self.add("a")
        self.add("A")
        self.assertEqual(queue.dispatch(), 1)
        self.assertEqual(queue.dispatch(), 0)

    def test_the_database_would_not_allow_it_either(self) -> None:
        self.add("a", handed_at=timezone.now())
        with self.assertRaises(IntegrityError), transaction.atomic():
            self.add("A", handed_at=timezone.now())

    def test_a_job_has_one_open_run(self) -> None:
        run = self.add("a")
        Run.objects.update(is_newest=False)
        with self.assertRaises(IntegrityError), transaction.atomic():
            Run.objects.create(job=run.job, pair=run.pair, dry_run=False)

    def test_what_was_put_off_waits_for_its_time(self) -> None:
        self.slots(5)
        now = timezone.now()
        self.add("later", not_before=now + timedelta(minutes=1))
        self.add("due", not_before=now - timedelta(minutes=1))
        queue.dispatch()
        self.assertEqual(self.handed(), ["due"])

    def test_what_died_with_its_cluster_is_handed_out_again(self) -> None:
        self.slots(5)
        run = self.add("a")
        queue.dispatch()
        long_ago = timezone.now() - timedelta(minutes=5)
        Run.objects.update(handed_at=long_ago)

        # The workers are busy or away, and the task is still in the table.
        self.assertEqual(queue.take_back_lost(), 0)
        # A cluster had fetched it, and was killed.
        OrmQ.objects.update(lock=timezone.now() + timedelta(days=3))
        self.assertEqual(queue.take_back_lost(), 1)
        self.assertEqual(queue.dispatch(), 1)
        self.assertIsNotNone(runs.claim_run(pk=run.pk, host="here.example"))

    def test_a_late_delivery_claims_nothing_that_waits(self) -> None:
        run = self.add("a")
        self.assertIsNone(runs.claim_run(pk=run.pk, host="here.example"))

    def test_the_number_of_queries_does_not_grow_with_the_queue(self) -> None:
        self.slots(2)
        for number in range(4):
            self.add(f"user{number}")
        with CaptureQueriesContext(connection) as few:
            queue.dispatch()
        Run.objects.update(handed_at=None)
        for number in range(4, 34):
            self.add(f"user{number}")
        with self.assertNumQueries(len(few)):
            queue.dispatch()


class LockedRowTests(TransactionTestCase):
    def test_it_waits_for_nobody_who_holds_a_run(self) -> None:
        owner = User.objects.create_user("o@x.org", None, role=Role.OWNER)
        run = Run.objects.get(job=add_job(add_server(owner)))
        Run.objects.filter(pk=run.pk).update(
            state=Run.State.QUEUED, verdict="", started_at=None, finished_at=None
        )
        other = connections.create_connection("default")
        self.addCleanup(other.close)
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT 1 FROM migrations_run FOR UPDATE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        self.assertEqual(queue.dispatch(), 0)
        other.rollback()
        self.assertEqual(queue.dispatch(), 1)
