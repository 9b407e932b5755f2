from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from purelymanage.accounts.models import Organisation
from purelymanage.dashboard.credit import credit
from purelymanage.dashboard.models import CreditReading
from purelymanage.dashboard.operations import note_credit

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def read(*amounts: str, apart: timedelta = timedelta(days=1)) -> None:
    for number, amount in enumerate(reversed(amounts)):
        CreditReading.objects.create(
            amount=Decimal(amount), read_at=NOW - apart * number
        )


def test_before_the_first_reading_nothing_is_known() -> None:
    assert credit(Organisation()) is None


def test_one_reading_gives_no_forecast() -> None:
    read("18.42")
    known = credit(Organisation())
    assert known
    assert known.amount == Decimal("18.42")
    assert known.per_day is None
    assert known.chart is None


def test_readings_of_one_day_give_no_forecast() -> None:
    read("10", "9", "8", apart=timedelta(hours=12))
    known = credit(Organisation())
    assert known
    assert known.runs_out_at is None


def test_two_days_of_spending_tell_when_it_is_gone() -> None:
    read("10", "9", "8")
    known = credit(Organisation())
    assert known
    assert known.per_day == 1
    assert known.runs_out_at == NOW + timedelta(days=8)
    assert known.chart
    assert known.chart.ahead
    assert known.chart.end is not None


def test_a_top_up_starts_the_count_anew() -> None:
    read("3", "2", "22", "21", "20", "19")
    known = credit(Organisation())
    assert known
    assert known.per_day == 1


def test_credit_that_stays_lasts() -> None:
    read("10", "10", "10", "10")
    known = credit(Organisation())
    assert known
    assert known.per_day is None
    assert known.chart


@pytest.mark.parametrize(
    ("amount", "tone"),
    [("5", "good"), ("4.99", "attention"), ("2", "attention"), ("1.99", "broken")],
)
def test_thresholds(amount: str, tone: str) -> None:
    read(amount)
    known = credit(Organisation())
    assert known
    assert known.tone == tone


@pytest.mark.parametrize("amount", ["0", "-3", "0.01", "7", "99999"])
def test_every_amount_can_be_drawn(amount: str) -> None:
    read(amount, amount, amount, "0", "0", "0")
    known = credit(Organisation())
    assert known
    assert known.chart
    for y, _ in known.chart.grid:
        assert 0 <= y <= 100


def test_the_same_amount_prolongs_a_stretch() -> None:
    def note(amount: str, **later: Any) -> None:
        note_credit(Decimal(amount), at=NOW + timedelta(**later))

    note("10")
    note("10", hours=1)
    note("10", hours=2)
    note("9", hours=3)
    amounts = CreditReading.objects.order_by("read_at").values_list("amount", "read_at")
    assert list(amounts) == [
        (Decimal("10"), NOW),
        (Decimal("10"), NOW + timedelta(hours=2)),
        (Decimal("9"), NOW + timedelta(hours=3)),
    ]
