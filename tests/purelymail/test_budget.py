from __future__ import annotations

from unittest import mock

from django.core.cache import cache
from django.test import TestCase

from purelymanage.purelymail import budget
from purelymanage.purelymail.errors import Unavailable


class BudgetTests(TestCase):
    def setUp(self) -> None:
        cache.clear()  # is a table, which tests with real transactions leave filled
        self.sleep = self.enterContext(mock.patch("time.sleep", autospec=True))

    def spend(self, times: int, *, patience: float = 10) -> list[float]:
        self.sleep.reset_mock()
        for _ in range(times):
            budget.spend("listUser", patience=patience)
        return [call.args[0] for call in self.sleep.call_args_list]

    def test_six_calls_go_at_once(self) -> None:
        self.assertEqual(self.spend(6), [])

    def test_then_they_go_one_a_second(self) -> None:
        self.spend(6)
        waits = self.spend(3)
        for wait, expected in zip(waits, (1, 2, 3), strict=True):
            self.assertAlmostEqual(wait, expected, delta=0.5)

    def test_nobody_waits_longer_than_wanted(self) -> None:
        self.spend(6)
        with self.assertRaisesMessage(Unavailable, "Try again in a minute"):
            self.spend(4, patience=2.5)
        # Who went away has not used up the turn of the next.
        self.assertLess(max(self.spend(1)), 3.5)

    def test_the_bucket_fills_up_again(self) -> None:
        self.spend(6)
        six_seconds_ago = cache.get(budget.BUCKET) - 6
        cache.set(budget.BUCKET, six_seconds_ago)
        self.assertEqual(self.spend(6), [])

    def test_calls_are_counted_by_operation_and_hour(self) -> None:
        self.spend(2)
        budget.spend("getUser", patience=10)
        present, before, *_ = budget.calls_by_hour()
        self.assertEqual(present, {"listUser": 2, "getUser": 1})
        self.assertEqual(before, {})
