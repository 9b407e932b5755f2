from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from purelymanage.domains.alerts import Announced, after_look

START = datetime(2026, 11, 21, 12, tzinfo=UTC)

# What was told first; looks as (minute, state); the news as (minute, state).
STORIES = {
    "the first state is no news": ("unseen", [(0, "broken"), (20, "broken")], []),
    "two looks agree": (
        "good",
        [(0, "broken"), (5, "broken"), (10, "broken")],
        [(10, "broken")],
    ),
    "a flicker": ("good", [(0, "broken"), (5, "good"), (15, "good")], []),
    "flapping": (
        "good",
        [(n * 5, "broken" if n % 2 else "good") for n in range(20)],
        [],
    ),
    "told once": (
        "good",
        [(0, "broken"), (10, "broken"), (20, "broken"), (600, "broken")],
        [(10, "broken")],
    ),
    "recovery": (
        "broken",
        [(0, "good"), (1, "good"), (9, "good"), (10, "good"), (11, "good")],
        [(10, "good")],
    ),
    "getting worse in two steps": (
        "good",
        [(0, "attention"), (6, "broken"), (11, "broken"), (16, "broken")],
        [(16, "broken")],
    ),
    "looks in vain neither confirm nor deny": (
        "good",
        [(0, "broken"), (5, "unknown"), (10, "unknown"), (12, "broken")],
        [(12, "broken")],
    ),
    "never told where it could only not be looked up": (
        "good",
        [(n * 60, "unknown") for n in range(30)],
        [],
    ),
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_what_is_told(
    story: tuple[str, list[tuple[int, str]], list[tuple[int, str]]],
) -> None:
    first, looks, expected = story
    told, news = Announced(first), []
    for minute, state in looks:
        told, is_news = after_look(told, state, START + timedelta(minutes=minute))
        if is_news:
            news.append((minute, state))
            assert told.state == state
    assert news == expected
