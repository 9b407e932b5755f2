"""The way of a task from a cluster to its workers, which outlives each of them.

The queue of `multiprocessing` is read under a lock. A worker that is killed while it
waits for work takes that lock along, and none of the others ever gets a task again.
"""

from __future__ import annotations

import select
import socket
import sys
from typing import Any

from django_q.queues import Queue
from django_q.signing import SignedPackage

LONGEST = 4 * 1024 * 1024  # bytes that may lie in it; the system may grant fewer


class TaskQueue:
    """Keeps the borders of messages, so that each reader gets whole ones, unlocked."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair(
            socket.AF_UNIX, socket.SOCK_SEQPACKET
        )
        self._writer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LONGEST)

    def put(self, task: Any) -> None:
        self._writer.sendall(SignedPackage.dumps(task).encode())

    def get(self) -> Any:
        """Return the next task, or raise BadSignature: it is signed as in the database."""
        return SignedPackage.loads(self._reader.recv(LONGEST).decode())

    def empty(self) -> bool:
        return not select.select([self._reader], [], [], 0)[0]

    def qsize(self) -> int:
        return 0 if self.empty() else 1

    def close(self) -> None:
        """Nothing is left to do: what was put in lies with the system."""

    def join_thread(self) -> None:
        """See `close`."""


def queue_for(maxsize: int = 0) -> Any:
    """Return a queue for tasks, which django-q bounds, or one for their results."""
    return TaskQueue() if maxsize else Queue()


def install() -> None:
    """Let a cluster that is about to start use it; nobody else has that module."""
    cluster: Any = sys.modules.get("django_q.cluster")
    if cluster is not None:
        cluster.Queue = queue_for
