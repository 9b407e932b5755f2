from __future__ import annotations

import resource
from collections.abc import Callable
from unittest import TestCase

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
    """Return how often the kernel had to give a page, at the worst of all depths."""
    found = []
    for depth in DEPTHS:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        ask(depth)
        found.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    return max(found)


class CallDepthTests(TestCase):
    def test_no_depth_makes_a_loop_ask_the_kernel_each_time(self) -> None:
        ask = with_room(from_depth)
        ask(max(DEPTHS))
        self.assertLess(most_faults(ask), CALLS / 2)

    def test_it_answers_as_before(self) -> None:
        divide = with_room(divmod)
        self.assertEqual(divide(7, 2), (3, 1))
        with self.assertRaises(ZeroDivisionError):
            divide(7, 0)
