from __future__ import annotations

from datetime import timedelta
from unittest import mock

from django.db.models import F
from django.test import TestCase

from purelymanage.purelymail import budget
from purelymanage.purelymail.errors import Unavailable
from purelymanage.purelymail.models import Bucket, CallCount


class BudgetTests(TestCase):
    def setUp(self) -> None:
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
        Bucket.objects.update(full_at=F("full_at") - timedelta(seconds=6))
        self.assertEqual(self.spend(6), [])

    def test_calls_are_counted_by_operation_and_hour(self) -> None:
        self.spend(2)
        budget.spend("getUser", patience=10)
        present, before, *_ = budget.calls_by_hour()
        self.assertEqual(present, {"listUser": 2, "getUser": 1})
        self.assertEqual(before, {})

    def test_what_is_older_than_a_day_is_forgotten(self) -> None:
        self.spend(1)
        CallCount.objects.update(hour=F("hour") - timedelta(hours=25))
        self.spend(1)
        self.assertEqual(CallCount.objects.count(), 1)

    def test_a_call_takes_few_statements(self) -> None:
        self.spend(1)
        with self.assertNumQueries(4):  # with the bounds of the transaction
            self.spend(1)
