from __future__ import annotations

from unittest import mock

from django.core.cache import cache
from django.db import OperationalError
from django.test import TestCase
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.conf import Conf

from purelymanage.broker import PulsingBroker, silent_clusters
from purelymanage.migrations import queue
from purelymanage.migrations.broker import CopyBroker
from purelymanage.migrations.models import Run
from purelymanage.migrations.operations import runs, settling
from tests.migrations.waiting_runs import WithRuns


class BrokerTests(TestCase):
    def setUp(self) -> None:
        cache.clear()

    def test_it_is_the_one_that_is_used(self) -> None:
        self.assertIsInstance(get_broker(), PulsingBroker)

    def test_without_workers_both_clusters_are_silent(self) -> None:
        self.assertEqual(silent_clusters(), ["default", "migrations"])

    def test_asking_for_work_is_a_sign_of_life(self) -> None:
        get_broker("migrations").dequeue()
        self.assertEqual(silent_clusters(), ["default"])


class CopyBrokerTests(WithRuns):
    def test_a_host_fetches_no_more_than_its_workers_can_begin(self) -> None:
        for name in "abcd":
            self.add(name)
        queue.dispatch()
        self.enterContext(mock.patch.object(Conf, "WORKERS", 2))
        here, there = CopyBroker("migrations"), CopyBroker("migrations")
        self.assertEqual([bool(here.dequeue()) for _ in range(3)], [True, True, False])
        # What is left is for another host.
        self.assertEqual([bool(there.dequeue()) for _ in range(2)], [True, True])

        first = Run.objects.earliest("pk")
        runs.claim_run(pk=first.pk, host="here.example")
        self.add("e")
        self.assertFalse(here.dequeue())
        Run.objects.filter(pk=first.pk).update(
            state="done", lease_until=None, finished_at=timezone.now()
        )
        queue.dispatch()
        self.assertTrue(here.dequeue())

    def test_what_a_dead_worker_left_is_fetched_again(self) -> None:
        self.enterContext(mock.patch.object(Conf, "WORKERS", 1))
        run, broker = self.add("a"), CopyBroker("migrations")
        queue.dispatch()
        self.assertTrue(broker.dequeue())
        runs.claim_run(pk=run.pk, host="here.example")
        self.add("b")
        queue.dispatch()
        self.assertFalse(broker.dequeue())
        Run.objects.filter(pk=run.pk).update(lease_until=timezone.now())
        self.assertEqual(settling.give_back_abandoned(), 1)
        self.assertTrue(broker.dequeue())

    def test_a_database_that_restarts_costs_a_moment(self) -> None:
        broker = CopyBroker("migrations")
        with (
            mock.patch.object(broker, "_dequeue", side_effect=OperationalError),
            mock.patch("purelymanage.broker.connection.close"),
            mock.patch("purelymanage.broker.AGAIN_AFTER", 0),
        ):
            self.assertIsNone(broker.dequeue())
