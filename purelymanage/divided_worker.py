"""A process of its own for the public form, so that a rush there leaves pages alone.

What hundreds send at the same moment is read, checked and answered by one interpreter,
and whoever asked it for a page would have to wait for all their threads.
"""

from __future__ import annotations

import os
import re
import selectors
import socket
import time
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any

from purelymanage.passage import Passage, came_at
from purelymanage.watched_worker import WatchedWorker

FORM = re.compile(rb"(GET|HEAD|POST) /gather/")
START = 64  # bytes of a request that tell whether it is for the form
# Seconds in which a new connection has to say something.
PATIENCE = 5.0
# Pages come first where processors are short. Any more, and owners would wait for copies
# and whatever else is under way on the machine.
NICER = 1


@lru_cache
def _passage() -> Passage:
    return Passage()


class DividedWorker(WatchedWorker):
    """Answers either the form or all else; each finds out which once it runs.

    All of them load the same, so that what is not passed on is answered where it is:
    when there is no room, a request line comes in pieces, or a process has to end.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Or what a connection begins with has to be kept for what follows.
        is_plain = not self.cfg.is_ssl and self.cfg.proxy_protocol == "off"
        # Nothing has been forked yet: all get the same.
        self.passage = _passage() if is_plain and self.cfg.workers > 1 else None
        self.is_for_form = False

    def notify(self) -> None:
        super().notify()
        if self.is_for_form or self.passage is None or not self.alive:
            return
        if self.passage.claim():
            self._turn_to_form(self.passage)

    def _turn_to_form(self, passage: Passage) -> None:
        self.is_for_form = True
        with suppress(PermissionError):
            os.nice(NICER)
        self.set_accept_enabled(False)
        for listener in self.sockets:
            listener.close()
        self.sockets: list[Any] = [passage]
        self.set_accept_enabled(True)
        # What comes next by the same connection may be for a page.
        self.max_keepalived = 0

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001  # gunicorn's
        if self.is_for_form and self.passage is not None and not self.alive:
            self.passage.give_up()
            while self.passage.holds_somebody():
                self.accept(self.passage)
        super().set_accept_enabled(enabled)

    def enqueue_req(self, conn: Any) -> None:
        """Begin with what came by a connection, unless it is for another process."""
        passage = self.passage
        read_ahead = conn.parser is not None and conn.parser.unreader.buf.getvalue()
        if passage is None or self.is_for_form or not self.alive or read_ahead:
            if self.is_for_form and passage is not None and not conn.initialized:
                conn.came_at = passage.came_at
            super().enqueue_req(conn)
            return
        try:
            start = conn.sock.recv(START, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            self._wait_for(conn)
            return
        except OSError:
            start = b""  # gone: a thread finds out what that means
        if FORM.match(start) and passage.pass_on(conn.sock):
            self.nr_conns -= 1
            conn.close()
        else:
            super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        came_at.set(getattr(conn, "came_at", None))
        return super().handle(conn)

    def _wait_for(self, conn: Any) -> None:
        """Wait for the first bytes of a connection, as gunicorn does in a thread."""
        conn.timeout = time.monotonic() + PATIENCE
        self.pending_conns.append(conn)
        self.poller.register(
            conn.sock,
            selectors.EVENT_READ,
            partial(self.on_pending_socket_readable, conn),
        )
