"""Moves the clock of a Python program, for whom this folder is in PYTHONPATH.

By how many seconds stands in the file that MOVED_CLOCK names, and may change while the
program runs. Clocks that only measure how long something takes are left alone.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from django.utils import timezone

_real_time = time.time
_seconds, _read_at = 0.0, float("-inf")


def _time() -> float:
    global _seconds, _read_at
    if time.monotonic() - _read_at > 0.5:
        _read_at = time.monotonic()
        told = Path(os.environ["MOVED_CLOCK"]).read_text(encoding="ascii")
        _seconds = float(told or 0)
    return _real_time() + _seconds


def _now() -> datetime:
    return datetime.fromtimestamp(_time(), UTC)


time.time = _time
timezone.now = _now
