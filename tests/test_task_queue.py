from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import time
from typing import Any

import pytest
from django.test import TestCase
from django_q import cluster
from django_q.brokers import get_broker
from django_q.signing import BadSignature

from purelymanage.task_queue import TaskQueue, queue_for

fork = multiprocessing.get_context("fork")


def echo(tasks: TaskQueue, results: Any) -> None:
    for task in iter(tasks.get, "STOP"):
        results.send((os.getpid(), task))


class TaskQueueTests(TestCase):
    @pytest.mark.slow
    def test_a_worker_killed_while_it_waits_blocks_nobody(self) -> None:
        tasks = TaskQueue()
        mine, theirs = multiprocessing.Pipe(duplex=False)
        workers: list[Any] = [
            fork.Process(target=echo, args=(tasks, theirs), daemon=True)
            for _ in range(3)
        ]
        for worker in workers:
            worker.start()
        time.sleep(0.2)
        for worker in workers[:2]:
            os.kill(worker.pid, signal.SIGKILL)
            worker.join()
        for number in range(20):
            tasks.put({"number": number, "text": "x" * 1000})
        found = []
        for _ in range(20):
            self.assertTrue(mine.poll(5))
            pid, task = mine.recv()
            self.assertEqual(pid, workers[2].pid)
            found.append(task["number"])
        self.assertEqual(found, list(range(20)))
        self.assertTrue(tasks.empty())
        tasks.put("STOP")
        workers[2].join(5)
        self.assertEqual(workers[2].exitcode, 0)

    def test_what_is_not_signed_is_not_opened(self) -> None:
        tasks = TaskQueue()
        tasks._writer.sendall(pickle.dumps({"func": "anything"}, protocol=0))
        with self.assertRaises(BadSignature):
            tasks.get()

    def test_clusters_take_it_for_their_tasks(self) -> None:
        get_broker()
        self.assertIs(cluster.Queue, queue_for)
        self.assertIsInstance(queue_for(maxsize=16), TaskQueue)
        self.assertNotIsInstance(queue_for(), TaskQueue)
