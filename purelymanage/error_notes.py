"""Which kinds of errors this process has met, until somebody writes them down.

Only the kind, the place and the request: what an error says might quote anything.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType

from purelymanage.context import request_id, task_name
from purelymanage.environment import BASE_DIR

MOST_KINDS = 50
EVERY = 5.0  # seconds between two times that they are written down
OURS = str(BASE_DIR / "purelymanage") + os.sep
INSTALLED = f"site-packages{os.sep}"


@dataclass
class Note:
    kind: str
    place: str
    count: int
    at: datetime
    request_id: str
    task: str


_notes: dict[tuple[str, str], Note] = {}
_lock = threading.Lock()
_taken_at = float("-inf")


class KeepingHandler(logging.Handler):
    """Keeps what is logged as an error, as far as nobody foresaw it."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)

    def emit(self, record: logging.LogRecord) -> None:
        raised = record.exc_info[0] if record.exc_info else None
        if is_of_a_client(record) or (raised is None and is_told_elsewhere(record)):
            return
        if raised and record.exc_info:
            kind, place = _name(raised), _where(record.exc_info[2])
        else:
            path = f"{_shorten(record.pathname)}:{record.lineno}"
            kind, place = f"logged by {record.name}", f"{path} in {record.funcName}"
        at = datetime.fromtimestamp(record.created, UTC)
        keep(Note(kind, place, 1, at, request_id.get(), task_name.get()))


def is_of_a_client(record: logging.LogRecord) -> bool:
    """Whether somebody sent what no browser does, as scanners of the network all day."""
    return record.name.startswith("django.security.")


def is_told_elsewhere(record: logging.LogRecord) -> bool:
    """Whether it is an answer that a view gave on purpose, or told by a worker."""
    from_monitor = record.name == "django-q" and record.module == "monitor"
    return record.name == "django.request" or from_monitor


def keep(note: Note) -> None:
    with _lock:
        _keep(note)


def _keep(note: Note) -> None:
    known = _notes.get((note.kind, note.place))
    if known is not None:
        note.count += known.count
        if known.at > note.at:
            note.at, note.request_id, note.task = known.at, known.request_id, known.task
    elif len(_notes) >= MOST_KINDS:
        return
    _notes[note.kind, note.place] = note


def take() -> list[Note]:
    """Hand over what was kept, now and then."""
    global _taken_at
    if not _notes or time.monotonic() - _taken_at < EVERY:
        return []
    with _lock:
        _taken_at = time.monotonic()
        taken = list(_notes.values())
        _notes.clear()
    return taken


def give_back(notes: list[Note]) -> None:
    """Keep what could not be written down."""
    with _lock:
        for note in notes:
            _keep(note)


def _forget() -> None:
    """A process that is forked has met none of them."""
    global _lock, _taken_at
    _lock, _taken_at = threading.Lock(), float("-inf")
    _notes.clear()


def _name(raised: type[BaseException]) -> str:
    if raised.__module__ == "builtins":
        return raised.__qualname__
    return f"{raised.__module__}.{raised.__qualname__}"


def _where(found: TracebackType | None) -> str:
    """Return the innermost place that is ours, else the innermost."""
    frames = traceback.extract_tb(found)
    ours = [it for it in frames if it.filename.startswith(OURS)]
    for frame in (ours or frames)[-1:]:
        return f"{_shorten(frame.filename)}:{frame.lineno} in {frame.name}"
    return ""


def _shorten(path: str) -> str:
    return path.removeprefix(f"{BASE_DIR}{os.sep}").rpartition(INSTALLED)[2]


os.register_at_fork(after_in_child=_forget)
