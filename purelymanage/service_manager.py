"""Telling the service manager that a process is ready and still at work.

systemd names a socket for that, and restarts what falls silent for longer than
`WatchdogSec`. Elsewhere nothing is told.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress

READY = "READY=1"
ALIVE = "WATCHDOG=1"
EVERY = 5.0  # seconds between two signs of life at least

_told_at: dict[str, float] = {}


def tell(state: str) -> None:
    """Send a state; that nobody listens must not disturb whoever tells."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with (
        suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as messenger,
    ):
        messenger.settimeout(1)
        messenger.connect(address)
        messenger.sendall(state.encode())


def tell_now_and_then(state: str) -> None:
    """Send a state unless that was done a moment ago: for loops."""
    now = time.monotonic()
    if now - _told_at.get(state, -EVERY) >= EVERY:
        _told_at[state] = now
        tell(state)
