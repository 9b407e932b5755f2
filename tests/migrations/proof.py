"""What the records of attempts prove about the queue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from purelymanage.migrations.models import Attempt


def most_at_once(attempts: Sequence[Attempt]) -> int:
    """Return how many attempts held a slot at the same time at most."""
    return max((running for _, running in _steps(attempts)), default=0)


def gaps(
    attempts: Sequence[Attempt], *, at_once: int, in_batch: int
) -> dict[str, float]:
    """Return how long slots were free while a run waited that might have had one.

    Counted are waits of runs that had never begun: of the others nobody knows any more
    until when they had been put off. But each that begins fills a slot.
    """
    events = [(it.began_at, 2, 1, it) for it in attempts]
    events += [(it.ended_at, 0, -1, it) for it in attempts if it.ended_at]
    events += [(it.run.queued_at, 1, 0, it) for it in attempts if it.number == 1]
    events.sort(key=lambda it: it[:2])
    running: Counter[int | None] = Counter()
    waiting: Counter[int | None] = Counter()
    free: list[datetime] = []
    found = []
    for at, _, change, attempt in events:
        batch = attempt.run.job.batch_id
        running[batch] += change
        if attempt.number == 1 and change >= 0:
            waiting[batch] += -1 if change else 1
        fit = sum(min(count, in_batch - running[it]) for it, count in waiting.items())
        usable = max(0, min(at_once - running.total(), fit))
        while len(free) > usable:
            found.append((at - free.pop(0)).total_seconds())
        free += [at] * (usable - len(free))
    if not found:
        return {}
    found.sort()
    return {
        "median": round(found[len(found) // 2], 3),
        "95 of 100": round(found[len(found) * 95 // 100], 3),
        "longest": round(found[-1], 3),
        "number": len(found),
        "longer than a second": sum(it > 1 for it in found),
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
