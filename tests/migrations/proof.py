"""What the records of attempts prove about the queue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from purelymanage.migrations.models import Attempt


def most_at_once(attempts: Sequence[Attempt]) -> int:
    """Return how many attempts held a slot at the same time at most."""
    return max((running for _, running in _steps(attempts)), default=0)


def gaps(attempts: Sequence[Attempt]) -> dict[str, float]:
    """Return how long it took, after an end, until what waited then took the slot."""
    begins = sorted(
        (it for it in attempts if it.number == 1), key=lambda it: it.began_at
    )
    found = []
    for end in sorted(it.ended_at for it in attempts if it.ended_at):
        following = next((it for it in begins if it.began_at >= end), None)
        if following is not None and following.run.queued_at <= end:
            found.append((following.began_at - end).total_seconds())
    if not found:
        return {}
    found.sort()
    return {
        "median": round(found[len(found) // 2], 3),
        "95 of 100": round(found[len(found) * 95 // 100], 3),
        "longest": round(found[-1], 3),
    }


def _steps(attempts: Sequence[Attempt]) -> list[tuple[datetime, int]]:
    # Of what happens at the same moment, ends come first.
    events = sorted(
        [(it.began_at, 1) for it in attempts]
        + [(it.ended_at, -1) for it in attempts if it.ended_at]
    )
    running, found = 0, []
    for at, change in events:
        running += change
        found.append((at, running))
    return found
