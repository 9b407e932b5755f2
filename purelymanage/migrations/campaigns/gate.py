"""Keeps a rush on the form from taking what the other pages need.

Hundreds may hand over their passwords in the same minute, and each waits for seconds
for a mail server. Their requests wait here, before anything is done for them and
without a connection to the database.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache

from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string

from purelymanage.migrations.campaigns.texts.saying import Saying, preferred_words
from purelymanage.migrations.campaigns.texts.words import words_of
from purelymanage.passage import came_at

PREFIX = "/gather/"
# How many are served at once by one process, while others wait in the order they came.
PLACES = 8
# Seconds after which somebody is not let in any more, but told that their password is
# tried later; at once where so many wait already that it would come to that.
PATIENCE = 5.0
LONGEST_LINE = 40
# How many of those at once, and how long after they came at most. With what has to be
# done for them then it stays below fifteen, on a machine that is busy as well.
LATE_PLACES = 5
LATE_PATIENCE = 10.0
LARGEST = 16_000  # bytes of a form
NONCE = "stands-for-that-of-the-answer"


class Gate:
    """Lets so many in at once, in the order they came."""

    def __init__(self, places: int, longest_line: int | None = None) -> None:
        self._free = places
        self._longest_line = longest_line
        self._waiting: deque[threading.Event] = deque()
        self._returning: deque[threading.Event] = deque()
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
        """Give the place to who comes back, or to whoever waits longest."""
        with self._lock:
            if line := self._returning or self._waiting:
                line.popleft().set()
            else:
                self._free += 1

    @contextmanager
    def left(self) -> Iterator[None]:
        """Let others in while somebody who is in waits for something else."""
        self.leave()
        try:
            yield
        finally:
            with self._lock:
                turn = None if self._free else threading.Event()
                if turn is None:
                    self._free -= 1
                else:
                    self._returning.append(turn)
            if turn is not None:
                turn.wait()


class GateMiddleware:
    """Comes before all that looks at a request, so that who waits has cost nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._gate = Gate(PLACES, LONGEST_LINE)
        self._late_gate = Gate(LATE_PLACES)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method != "POST" or not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        arrived = came_at.get() or time.monotonic()
        if not _is_read(request):
            return _page(request, "no_form", 400)
        if self._gate.enter(arrived + PATIENCE - time.monotonic()):
            return self._pass(self._gate, request, arrived + PATIENCE)
        left = arrived + LATE_PATIENCE - time.monotonic()
        if left > 0 and self._late_gate.enter(left):
            request.late_gate = self._late_gate  # type: ignore[attr-defined]
            return self._pass(self._late_gate, request, None)
        busy = _page(request, "busy", 503)
        busy.headers["Retry-After"] = "60"
        return busy

    def _pass(
        self, gate: Gate, request: HttpRequest, until: float | None
    ) -> HttpResponseBase:
        request.may_wait_until = until  # type: ignore[attr-defined]
        try:
            return self.get_response(request)
        finally:
            gate.leave()


def may_wait_until(request: HttpRequest) -> float | None:
    """Return how long somebody may wait for a mail server; None if they may not."""
    return getattr(request, "may_wait_until", None)


def stepped_aside(request: HttpRequest) -> AbstractContextManager[None]:
    """Leave the place to others while nothing is done for this request.

    Those with time to wait for a mail server keep theirs: it is for them.
    """
    gate: Gate | None = getattr(request, "late_gate", None)
    return nullcontext() if gate is None else gate.left()


def _page(request: HttpRequest, what: str, status: int) -> HttpResponse:
    """Say something by a page that is drawn once, but for what its scripts bear."""
    headers = {
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
    }
    drawn = _drawn(preferred_words(request).language, what)
    page = drawn.replace(NONCE, str(getattr(request, "csp_nonce", "")))
    return HttpResponse(page, status=status, headers=headers)


@lru_cache
def _drawn(language: str, what: str) -> str:
    say = Saying(words_of(language))
    context = {
        "words": say.words,
        "title": say[f"{what}_title"],
        "text": say[what],
        "csp_nonce": NONCE,
    }
    return render_to_string("gather/notice.html", context)


def _is_read(request: HttpRequest) -> bool:
    """Read a form before its sender takes somebody's place, however slowly it comes."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
        return False
    try:
        return request.body is not None
    except UnreadablePostError:
        return False
