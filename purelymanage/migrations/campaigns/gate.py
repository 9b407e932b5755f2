"""Keeps a rush on the form from taking what the other pages need.

Hundreds may hand over their passwords in the same minute, and each waits for seconds
for a mail server. Their requests wait here, before anything is done for them and
without a connection to the database.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase

from purelymanage.migrations.campaigns.texts.saying import preferred_words

PREFIX = "/gather/"
# How many are served at once by one process, while others wait in the order they came.
PLACES = 5
# Seconds after which somebody is not let in any more, but told that their password is
# tried later; at once where so many wait already that it would come to that.
PATIENCE = 5.0
LONGEST_LINE = 30
# How many of those at once, and how long after they came at most.
LATE_PLACES = 5
LATE_PATIENCE = 13.0
LARGEST = 16_000  # bytes of a form


class Gate:
    """Lets so many in at once, in the order they came."""

    def __init__(self, places: int, longest_line: int | None = None) -> None:
        self._free = places
        self._longest_line = longest_line
        self._waiting: deque[threading.Event] = deque()
        self._lock = threading.Lock()

    def enter(self, patience: float) -> bool:
        """Wait for a place, and tell whether there was one in time."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            if len(self._waiting) == self._longest_line:
                return False
            turn = threading.Event()
            self._waiting.append(turn)
        if turn.wait(patience):
            return True
        with self._lock:
            if turn.is_set():  # given away just now
                return True
            self._waiting.remove(turn)
        return False

    def leave(self) -> None:
        """Give the place to whoever waits longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1


class GateMiddleware:
    """Comes before all others, so that who waits here has cost nothing yet."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._gate = Gate(PLACES, LONGEST_LINE)
        self._late_gate = Gate(LATE_PLACES)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method != "POST" or not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        arrived = time.monotonic()
        if not _is_read(request):
            return _answer(preferred_words(request).no_form, 400)
        until = arrived + PATIENCE
        if self._gate.enter(PATIENCE):
            return self._pass(self._gate, request, until)
        if self._late_gate.enter(arrived + LATE_PATIENCE - time.monotonic()):
            return self._pass(self._late_gate, request, None)
        busy = _answer(preferred_words(request).busy, 503)
        busy.headers["Retry-After"] = "60"
        return busy

    def _pass(
        self, gate: Gate, request: HttpRequest, until: float | None
    ) -> HttpResponseBase:
        """Answer a request; `until` is how long it may wait for a mail server."""
        request.may_wait_until = until  # type: ignore[attr-defined]
        try:
            return self.get_response(request)
        finally:
            gate.leave()


def _answer(words: str, status: int) -> HttpResponse:
    """Say something without all that makes a page."""
    return HttpResponse(f"{words}\n", "text/plain; charset=utf-8", status)


def _is_read(request: HttpRequest) -> bool:
    """Read a form before its sender takes somebody's place, however slowly it comes."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
        return False
    try:
        return request.body is not None
    except UnreadablePostError:
        return False
