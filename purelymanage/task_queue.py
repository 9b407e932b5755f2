"""The way of a task from a cluster to its workers, which outlives each of them.

The queue of `multiprocessing` is read under a lock. A worker that is killed while it
waits for work takes that lock along, and none of the others ever gets a task again.
"""

from __future__ import annotations

import os
import select
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django_q.queues import Queue
from django_q.signing import SignedPackage

LONGEST = 4 * 1024 * 1024  # bytes that may lie in it; the system may grant fewer
LONGEST_NOTE = 200


class TaskQueue:
    """Keeps the borders of messages, so that each reader gets whole ones, unlocked."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair(
            socket.AF_UNIX, socket.SOCK_SEQPACKET
        )
        self._writer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LONGEST)
        # The way back: which worker has taken what.
        self._notes, self._pen = socket.socketpair(
            socket.AF_UNIX, socket.SOCK_SEQPACKET
        )
        self._notes.settimeout(0)
        self._pen.settimeout(0)

    def put(self, task: Any) -> None:
        self._writer.sendall(SignedPackage.dumps(task).encode())

    def get(self) -> Any:
        """Return the next task, or raise BadSignature: it is signed as in the database."""
        task = SignedPackage.loads(self._reader.recv(LONGEST).decode())
        if isinstance(task, dict):
            self.note(f"task {task.get('id')}")
        return task

    def note(self, text: str) -> None:
        """Write down what this worker has in hand now; nobody may ever read it."""
        with suppress(OSError):
            self._pen.send(f"{os.getpid()} {text}".encode())

    def read_notes(self) -> Iterator[tuple[int, str]]:
        """Yield which process has written what since the last time."""
        with suppress(BlockingIOError):
            while True:
                pid, _, text = self._notes.recv(LONGEST_NOTE).decode().partition(" ")
                yield int(pid), text

    def empty(self) -> bool:
        return not select.select([self._reader], [], [], 0)[0]

    def qsize(self) -> int:
        return 0 if self.empty() else 1

    def close(self) -> None:
        """Nothing is left to do: what was put in lies with the system."""

    def join_thread(self) -> None:
        """See `close`."""


# That of the cluster which this process belongs to.
_present: TaskQueue | None = None


def note(text: str) -> None:
    """Write down for the cluster of this worker what it has in hand."""
    if _present is not None:
        _present.note(text)


def read_notes() -> Iterator[tuple[int, str]]:
    if _present is not None:
        yield from _present.read_notes()


def queue_for(maxsize: int = 0) -> Any:
    """Return a queue for tasks, which django-q bounds, or one for their results."""
    global _present
    if not maxsize:
        return Queue()
    _present = TaskQueue()
    return _present


def install() -> None:
    """Let a cluster that is about to start use it; nobody else has that module."""
    cluster: Any = sys.modules.get("django_q.cluster")
    if cluster is not None:
        cluster.Queue = queue_for
