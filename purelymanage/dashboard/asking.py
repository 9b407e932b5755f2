"""Asking the database without being held up by it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from django.db import connection

T = TypeVar("T")


class NoAnswer(Exception):
    """It took longer than one was willing to wait."""


class InTime(Generic[T]):
    """Asks in a thread of its own, one at a time, and waits only so long for it.

    Who asks meanwhile waits for the same answer: however many ask, one connection is
    all they take.
    """

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._answer: Future[T] | None = None

    def __call__(self, seconds: float) -> T:
        with self._lock:
            answer = self._answer
            if answer is None or answer.done():
                answer = self._answer = Future()
                threading.Thread(
                    target=self._work, args=[answer], daemon=True, name="asking"
                ).start()
        try:
            return answer.result(seconds)
        except TimeoutError as exc:
            raise NoAnswer from exc

    def _work(self, answer: Future[T]) -> None:
        try:
            found = self._ask()
        except BaseException as exc:  # it is raised where it is awaited
            answer.set_exception(exc)
        else:
            answer.set_result(found)
        finally:
            connection.close()
