"""How much work something is: counted, as seconds depend on the machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType


def calls_of(work: Callable[[], object]) -> int:
    """Return how many functions are called by `work`, those written in C included.

    Those are not counted that measure the coverage.
    """
    calls = 0

    def count(frame: FrameType, event: str, function: object) -> None:
        nonlocal calls
        if event not in {"call", "c_call"}:
            return
        places = (
            frame.f_globals.get("__name__"),
            getattr(function, "__module__", None),
        )
        calls += not any((it or "").startswith("slipcover") for it in places)

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls
