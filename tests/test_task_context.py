from __future__ import annotations

from multiprocessing import Value
from queue import SimpleQueue
from typing import Any

from django.test import TestCase
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from django_q.tasks import async_task
from django_q.worker import worker

from purelymanage.context import request_id, task_name

SAYS, FAILS = f"{__name__}.say", f"{__name__}.fail"


def say() -> str:
    return f"{request_id.get()} {task_name.get()}"


def fail() -> None:
    raise ValueError("something private")


class TaskContextTests(TestCase):
    def enqueue(self, func: str, request: str = "") -> dict[str, Any]:
        token = request_id.set(request)
        try:
            async_task(func)
        finally:
            request_id.reset(token)
        task: dict[str, Any] = SignedPackage.loads(OrmQ.objects.latest("pk").payload)
        return task

    def carry_out(self, task: dict[str, Any]) -> dict[str, Any]:
        """Let django-q do it as in a process of its own, but for our connection."""
        tasks, results = SimpleQueue[Any](), SimpleQueue[Any]()
        tasks.put({**task, "sync": True})
        tasks.put("STOP")
        worker(tasks, results, Value("f", -1), timeout=None)
        result: dict[str, Any] = results.get()
        return result

    def test_it_carries_the_request_that_set_it_off(self) -> None:
        task = self.enqueue(SAYS, "a-request")
        self.assertEqual(self.carry_out(task)["result"], f"a-request {SAYS}")
        # And nothing goes on to the next one.
        self.assertEqual(self.carry_out(self.enqueue(SAYS))["result"], f" {SAYS}")
        self.assertEqual((request_id.get(), task_name.get()), ("", ""))

    def test_what_it_raises_is_logged_with_its_cause(self) -> None:
        task = self.enqueue(FAILS, "a-request")
        with (
            self.assertLogs("purelymanage.task_context", "ERROR") as logs,
            self.assertRaises(ValueError),
        ):
            self.carry_out(task)
        record = logs.records[0]
        assert record.exc_info
        self.assertIs(record.exc_info[0], ValueError)
