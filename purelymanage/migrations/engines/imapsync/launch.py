"""Become another program, one that does not outlive whoever started it.

A file of its own, run by a fresh interpreter: after a fork, a process with threads may
do nothing but become another one. It imports nothing of the panel.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_SIGNAL_OF_PARENTS_DEATH = 1
_NOT_STARTED = 126


def become(parent: int, command: list[str]) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SIGNAL_OF_PARENTS_DEATH, int(signal.SIGKILL), 0, 0, 0):
        return _NOT_STARTED
    # It may have died before there was a signal to get.
    if os.getppid() != parent:
        return _NOT_STARTED
    try:
        os.execv(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as exc:
        sys.stdout.write(f"Can't start it: {exc.strerror}\n")
    return _NOT_STARTED


if __name__ == "__main__":
    sys.exit(become(int(sys.argv[1]), sys.argv[2:]))
