from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from purelymanage.domains.schedule import (
    DAY,
    MINUTE,
    backed_off,
    daily_slot,
    next_look,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def simulate(hours: float, *, is_green: bool, touched: bool = False) -> list[float]:
    """Return the minutes after the first look at which it is looked at again."""
    now, looks, at = NOON, 0, []
    while now < NOON + timedelta(hours=hours):
        looks += 1
        now = next_look(
            now,
            name="example.org",
            is_green=is_green,
            red_looks=0 if is_green else looks,
            red_since=None if is_green else NOON,
            touched_at=NOON if touched else None,
        )
        if touched:  # the workers come each minute, and a little later than that
            now = NOON + math.ceil((now - NOON) / MINUTE) * MINUTE
            now += timedelta(seconds=1)
        at.append((now - NOON) / MINUTE)
    return at[:-1]


def test_what_is_red_is_looked_at_ever_more_seldom() -> None:
    hours = [75 + 60 * n for n in range(24)]
    assert simulate(24, is_green=False) == [5, 15, 35, 75, *hours[1:23]]
    later = simulate(72, is_green=False)[len(simulate(24, is_green=False)) :]
    pauses = {round(b - a) for a, b in pairwise(later[1:])}
    assert pauses == {360}


def test_what_is_green_is_looked_at_daily() -> None:
    found = simulate(96, is_green=True)
    assert len(found) == 4
    assert {round(b - a) for a, b in pairwise(found)} == {24 * 60}


def test_green_ones_are_spread_over_the_day() -> None:
    hours = [
        int((daily_slot(f"d{n}.example", NOON) - NOON) / timedelta(hours=1))
        for n in range(2_000)
    ]
    counts = [hours.count(hour) for hour in range(24)]
    assert min(counts) > 50
    assert max(counts) < 120


def test_a_slot_is_always_ahead() -> None:
    slot = daily_slot("example.org", NOON)
    assert NOON < slot <= NOON + DAY
    assert daily_slot("example.org", slot) == slot + DAY


@pytest.mark.parametrize("is_green", [True, False])
def test_what_was_touched_is_looked_at_each_minute(*, is_green: bool) -> None:
    found = simulate(1, is_green=is_green, touched=True)
    assert [int(it) for it in found[:10]] == list(range(1, 11))
    assert [int(it) for it in found[10:11]] != [11]


def test_a_change_is_confirmed_after_ten_minutes() -> None:
    soon = next_look(NOON, name="example.org", is_green=True, turning_since=NOON)
    assert soon == NOON + 10 * MINUTE
    overdue = NOON - timedelta(hours=1)
    soon = next_look(NOON, name="example.org", is_green=True, turning_since=overdue)
    assert soon == NOON + MINUTE


@pytest.mark.parametrize(
    ("times", "hours", "minutes"),
    [(0, 0, 5), (1, 0, 10), (2, 0, 20), (3, 1, 40), (4, 2, 60), (30, 25, 360)],
)
def test_the_pauses(times: int, hours: int, minutes: int) -> None:
    assert backed_off(times, timedelta(hours=hours)) == timedelta(minutes=minutes)
