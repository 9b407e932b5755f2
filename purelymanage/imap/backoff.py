"""How long servers want to be left alone, where they say so."""

from __future__ import annotations

import re
from datetime import timedelta

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
LONGEST_WAIT = timedelta(days=2)

_WAIT = re.compile(
    r"(?:back-?off time:?|(?:again|retry|wait)(?: \w+)?) (\d+)\s*"
    r"(milliseconds?|msec|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|h)\b",
    re.IGNORECASE,
)
_UNITS = {
    "ms": SECOND / 1000,
    "mi": SECOND / 1000,
    "m": MINUTE,
    "h": 60 * MINUTE,
    "s": SECOND,
}


def told_wait(words: str) -> timedelta | None:
    """Return how long a server wants to be left alone, if it says so."""
    found = _WAIT.search(words)
    if found is None:
        return None
    unit = found[2].lower()
    if unit.startswith("min") or unit == "m":
        length = MINUTE
    else:
        length = _UNITS[unit[:2] if unit[:2] in {"ms", "mi"} else unit[:1]]
    return min(LONGEST_WAIT, int(found[1]) * length)
