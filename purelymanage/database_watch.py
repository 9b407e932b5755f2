"""Whether the database answers, known within seconds and without waiting for it long.

It may have been stopped, or it may be frozen: then it takes connections and says
nothing, and whoever asked it something waits until it does.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import Any

import psycopg
from django.db import connection

FRESH = 2.0  # seconds for which an answer is believed
FULL_FOR = 60.0  # seconds for which a disk is taken to be as full as somebody found it


class DatabaseWatch:
    """Asks over a connection of its own, one question at a time for all who ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._question: Future[None] | None = None
        self._asked_at = float("-inf")
        self._answered_at = float("-inf")
        self._full_at = float("-inf")

    @property
    def was_full(self) -> bool:
        """Whether this process could not write for want of room a moment ago."""
        return time.monotonic() - self._full_at < FULL_FOR

    def note_full(self) -> None:
        self._full_at = time.monotonic()

    def answers(self, patience: float) -> bool:
        """Tell whether the database has answered lately, or does within `patience`.

        What was asked before and is still not answered is not waited for once more.
        """
        with self._lock:
            now = time.monotonic()
            if now - self._answered_at < FRESH:
                return True
            if self._question is None or self._question.done():
                self._question, self._asked_at = Future(), now
                threading.Thread(
                    target=self._ask,
                    args=[self._question, now],
                    daemon=True,
                    name="database-watch",
                ).start()
            question, left = self._question, self._asked_at + patience - now
        try:
            question.result(max(left, 0))
        except (TimeoutError, psycopg.Error, OSError):
            return False
        return True

    def doubt(self) -> None:
        """Believe no former answer, as somebody has just got none."""
        with self._lock:
            self._answered_at = float("-inf")

    def _ask(self, question: Future[None], asked_at: float) -> None:
        try:
            # None of the pool: those may all be in use, and broken at that.
            with psycopg.connect(**_parameters()) as own:
                own.execute("SELECT 1")
        except BaseException as exc:  # it is raised where it is awaited
            question.set_exception(exc)
        else:
            with self._lock:
                self._answered_at = asked_at
            question.set_result(None)


def _parameters() -> dict[str, Any]:
    """Return how to connect, without what is about Django's own way of asking."""
    parameters = connection.get_connection_params()
    for name in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(name, None)
    return {**parameters, "autocommit": True}


watch = DatabaseWatch()
