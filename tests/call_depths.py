"""Prints how often the kernel has to give memory to a loop of calls, at the worst depth.

By itself: what measures coverage replaces the code of functions while they are used.
"""

from __future__ import annotations

import resource
from collections.abc import Callable

from purelymanage.call_depth import with_room

CALLS = 200
# Deep enough to come to the end of any piece of 16 kB on the way.
DEPTHS = range(300)


def work() -> None:
    for _ in range(CALLS):
        nothing()


def nothing() -> None:
    pass


def from_depth(depth: int) -> None:
    work() if depth == 0 else from_depth(depth - 1)


def most_faults(ask: Callable[[int], None]) -> int:
    """Return how many pages the kernel had to give, at the worst of all depths."""
    found = []
    for depth in DEPTHS:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        ask(depth)
        found.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    return max(found)


if __name__ == "__main__":
    ask = with_room(from_depth)
    ask(max(DEPTHS))
    print(most_faults(ask))  # noqa: T201  # what it is for
