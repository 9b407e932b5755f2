"""The way of an accepted connection from one process of the web server to another."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
import time
from contextvars import ContextVar
from typing import Any

# When what is answered came in, by the monotonic clock, if another process had it first.
came_at: ContextVar[float | None] = ContextVar("came_at", default=None)


class Passage:
    """Where one process passes accepted connections on to another.

    Whoever takes them treats it as a listener. What is under way outlives both, and is
    taken by whoever comes next.
    """

    def __init__(self) -> None:
        self._entrance, self._exit = socket.socketpair(type=socket.SOCK_DGRAM)
        self._entrance.settimeout(0)
        self._exit.settimeout(0)
        # A lock on it ends with the process that has it, however that ends.
        self._claim = tempfile.TemporaryFile()  # noqa: SIM115  # for ever
        self._came_in_at: Any = ""
        # When the one that was accepted last had come.
        self.came_at: float | None = None

    def claim(self) -> bool:
        """Tell whether it is for this process to take what comes."""
        try:
            fcntl.lockf(self._claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def give_up(self) -> None:
        fcntl.lockf(self._claim, fcntl.LOCK_UN)

    def pass_on(self, connection: socket.socket) -> bool:
        """Tell whether there was room; the caller still has to close its copy."""
        try:
            now = f"{time.monotonic()}".encode()
            socket.send_fds(self._entrance, [now], [connection.fileno()])
        except OSError:
            return False
        return True

    def holds_somebody(self) -> bool:
        try:
            return bool(self._exit.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return False

    # What gunicorn wants of a listener

    def fileno(self) -> int:
        return self._exit.fileno()

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001  # as sockets have it
        self._exit.setblocking(flag)

    def accept(self) -> tuple[socket.socket, Any]:
        came_at, descriptors, *_ = socket.recv_fds(self._exit, 50, 1)
        if not descriptors:
            raise ConnectionAbortedError
        self.came_at = float(came_at)
        os.set_inheritable(descriptors[0], False)  # noqa: FBT003  # has no name
        connection = socket.socket(fileno=descriptors[0])
        try:
            self._came_in_at = connection.getsockname()
            return connection, connection.getpeername()
        except OSError as exc:  # gone meanwhile
            connection.close()
            raise ConnectionAbortedError from exc

    def getsockname(self) -> Any:
        """Return where the one that was accepted last had come in."""
        return self._came_in_at

    def close(self) -> None:
        self._exit.close()
