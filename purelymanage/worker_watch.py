"""Noticing at once that a worker of this host has died, and what it had in hand.

A worker writes down what it takes; whoever fetches tasks for it reads that and asks the
kernel to be told of its end. Only a hint: what it is about decides by its own row.
"""

from __future__ import annotations

import os
import select
from contextlib import suppress

from purelymanage import task_queue


class WorkerWatch:
    """Follows the workers that have written something down."""

    def __init__(self) -> None:
        # By process: what tells of its end, and the last that it took.
        self._ends: dict[int, int] = {}
        self._held: dict[int, str] = {}

    def in_hand(self) -> dict[int, str]:
        """Return what each worker has taken last."""
        return dict(self._held)

    def left_behind(self) -> list[str]:
        """Return what was in the hands of workers that have ended since the last call.

        Those that ended as they should have put it down before; nobody asks them to
        write that as well.
        """
        for pid, note in task_queue.read_notes():
            self._held[pid] = note
            if pid not in self._ends:
                with suppress(ProcessLookupError):
                    self._ends[pid] = os.pidfd_open(pid)
        gone = [pid for pid in self._held if self._has_ended(pid)]
        for pid in gone:
            if pid in self._ends:
                os.close(self._ends.pop(pid))
        return [self._held.pop(pid) for pid in gone]

    def _has_ended(self, pid: int) -> bool:
        end = self._ends.get(pid)
        if end is None:
            return True
        poll = select.poll()
        poll.register(end, select.POLLIN)
        return bool(poll.poll(0))
