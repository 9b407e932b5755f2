"""Moves the clock of a Python program, for whom this folder is in PYTHONPATH.

By how many seconds stands in the file that MOVED_CLOCK names, and may change while the
program runs. Clocks that only measure how long something takes are left alone.
"""

from __future__ import annotations

import datetime
import os
import time
from typing import Any

_real_time = time.time
_real = datetime.datetime
_seconds, _read_at = 0.0, float("-inf")


def _moved_by() -> float:
    global _seconds, _read_at
    if time.monotonic() - _read_at > 0.5:
        _read_at = time.monotonic()
        with open(os.environ["MOVED_CLOCK"], encoding="ascii") as file:  # noqa: PTH123
            _seconds = float(file.read() or 0)
    return _seconds


def _time() -> float:
    return _real_time() + _moved_by()


class _Kind(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _real)


class _Moved(_real, metaclass=_Kind):
    def __new__(cls, *parts: Any, **named: Any) -> Any:
        return _real(*parts, **named)

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return _real.fromtimestamp(_time(), tz)

    @classmethod
    def utcnow(cls) -> Any:
        return _real.fromtimestamp(_time(), datetime.UTC).replace(tzinfo=None)


time.time = _time
datetime.datetime = _Moved  # type: ignore[misc]  # that is the point
