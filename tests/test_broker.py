from __future__ import annotations

import multiprocessing
import signal
from typing import Any
from unittest import mock

import pytest
from django.core import signing
from django.core.cache import cache
from django.db import OperationalError
from django.test import TestCase, override_settings
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.signing import PickleSerializer, SignedPackage

from purelymanage import task_queue
from purelymanage.broker import PulsingBroker, silent_clusters
from purelymanage.migrations import queue
from purelymanage.migrations.broker import CopyBroker
from purelymanage.migrations.models import Run
from purelymanage.migrations.models.runs import LEASE
from purelymanage.migrations.operations import runs, settling
from purelymanage.task_queue import queue_for
from tests.migrations.waiting_runs import WithRuns

fork = multiprocessing.get_context("fork")


def start_worker(note: str) -> tuple[Any, Any]:
    """Start a process that takes a task, and then does nothing any more."""
    ready = fork.Event()

    def work() -> None:
        tasks = task_queue._present
        assert tasks is not None
        tasks.get()
        if note:
            task_queue.note(note)
        ready.set()
        signal.pause()

    worker = fork.Process(target=work, daemon=True)
    worker.start()
    return ready, worker


class BrokerTests(TestCase):
    def setUp(self) -> None:
        cache.clear()

    def test_it_is_the_one_that_is_used(self) -> None:
        self.assertIsInstance(get_broker(), PulsingBroker)

    def test_without_workers_both_clusters_are_silent(self) -> None:
        self.assertEqual(silent_clusters(), ["default", "migrations"])

    def test_a_task_of_a_former_key_is_done_all_the_same(self) -> None:
        broker = get_broker()
        former = signing.dumps(
            {"id": "1"}, key="former", salt=Conf.PREFIX, serializer=PickleSerializer
        )
        for known, is_done in ((["former"], True), ([], False)):
            broker.enqueue(former)
            with override_settings(SECRET_KEY_FALLBACKS=known):
                ((_, payload),) = broker.dequeue()
            with self.subTest(known=known):
                if is_done:
                    self.assertEqual(SignedPackage.loads(payload), {"id": "1"})
                else:
                    self.assertEqual(payload, former)

    @pytest.mark.slow
    def test_asking_for_work_is_a_sign_of_life(self) -> None:
        get_broker("migrations").dequeue()
        self.assertEqual(silent_clusters(), ["default"])

    def test_a_state_that_was_not_written_leaves_no_broken_connection(self) -> None:
        gone = mock.patch.object(ORM, "set_stat", side_effect=OperationalError)
        with gone, mock.patch("purelymanage.broker.connection.close") as close:
            get_broker().set_stat("cluster", "running", 3)
        close.assert_called_once()


class CopyBrokerTests(WithRuns):
    @pytest.mark.slow
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

    @pytest.mark.slow
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

    @pytest.mark.slow
    def test_a_slot_is_free_at_once_when_its_worker_is_killed(self) -> None:
        self.enterContext(mock.patch.object(Conf, "WORKERS", 1))
        for claims in (False, True):
            with self.subTest(claims=claims):
                tasks = queue_for(maxsize=1)
                broker, run = CopyBroker("migrations"), self.add("a")
                queue.dispatch()
                ((_, package),) = broker.dequeue()
                tasks.put(SignedPackage.loads(package))
                if claims:
                    claimed = runs.claim_run(pk=run.pk, host="here.example")
                    assert claimed is not None
                ready, worker = start_worker(f"run {run.pk} 1" if claims else "")
                self.assertTrue(ready.wait(5))
                self.assertIsNone(broker.dequeue())
                worker.kill()
                worker.join()
                # Given back, handed out once more, and fetched.
                self.assertTrue(broker.dequeue())
                run.refresh_from_db()
                self.assertEqual(run.state, Run.State.QUEUED)
                Run.objects.all().delete()

    def test_what_a_dead_worker_had_sent_may_still_arrive(self) -> None:
        run = self.add("a")
        Run.objects.update(dry_run=False)
        queue.dispatch()
        runs.claim_run(pk=run.pk, host="here.example")
        self.assertFalse(settling.give_back_lost(pk=run.pk, attempt=2))
        self.assertTrue(settling.give_back_lost(pk=run.pk, attempt=1))
        self.assertFalse(settling.give_back_lost(pk=run.pk, attempt=1))
        run.refresh_from_db()
        assert run.not_before is not None
        self.assertGreater(run.not_before, timezone.now() + LEASE / 2)
        self.assertEqual(run.attempts.get().end, "lost")
        self.assertEqual(queue.dispatch(), 0)
        # Another one has the slot meanwhile.
        self.slots(1)
        self.add("b")
        self.assertEqual(queue.dispatch(), 1)

    def test_a_database_that_restarts_costs_a_moment(self) -> None:
        broker = CopyBroker("migrations")
        with (
            mock.patch.object(broker, "_dequeue", side_effect=OperationalError),
            mock.patch("purelymanage.broker.connection.close"),
            mock.patch("purelymanage.broker.AGAIN_AFTER", 0),
        ):
            self.assertIsNone(broker.dequeue())
