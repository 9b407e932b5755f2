from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from purelymanage.migrations import estimates
from purelymanage.migrations.models import Run

STEADY = [[second, 20 * second, 1000 * second] for second in range(61)]


def make_run(**columns: object) -> Run:
    defaults = {
        "dry_run": False,
        "state": Run.State.RUNNING,
        "phase": Run.Phase.COPYING,
        "started_at": datetime(2026, 11, 21, 13, 54, tzinfo=UTC),
    }
    return Run(**(defaults | columns))


def test_the_pace_is_that_of_the_last_half_minute() -> None:
    slow = [[second, 1200 + second, 60_000] for second in range(61, 100)]
    assert estimates.pace(STEADY).messages == pytest.approx(20)
    assert estimates.pace([*STEADY, *slow]).messages < 2


def test_the_time_before_the_first_message_does_not_count() -> None:
    reading = [[second, 0, 0] for second in range(20)]
    copying = [[20 + second, 30 * second, 0] for second in range(1, 5)]
    pace = estimates.pace([*reading, *copying])
    assert pace.messages == pytest.approx(120 / 5)


def test_nothing_is_said_without_samples() -> None:
    run = make_run(samples=[])
    assert estimates.pace(run.samples).messages == 0
    assert estimates.time_left(run) is None
    assert estimates.chart(run) is None


def test_what_is_there_already_counts_as_done() -> None:
    run = make_run(bytes=1000, bytes_to_copy=400, bytes_copied=100)
    assert estimates.percent(run) == 70


def test_a_hundred_is_said_at_the_end_only() -> None:
    run = make_run(bytes=1000, bytes_to_copy=400, bytes_copied=400)
    assert estimates.percent(run) == 99
    run.state = Run.State.DONE
    assert estimates.percent(run) == 100


def test_nobody_knows_while_headers_are_read() -> None:
    assert estimates.percent(make_run(phase=Run.Phase.READING, bytes=100)) is None


def test_the_rest_takes_as_long_as_the_pace_says() -> None:
    run = make_run(bytes_to_copy=120_000, bytes_copied=60_000, samples=STEADY)
    assert estimates.time_left(run) == timedelta(seconds=60)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (10, "less than a minute"),
        (60, "about 1 minute"),
        (22 * 60, "about 22 minutes"),
        (3 * 3600, "about 3 hours"),
        (72 * 3600, "about 3 days"),
    ],
)
def test_durations_are_rough(seconds: int, words: str) -> None:
    assert estimates.in_words(timedelta(seconds=seconds)) == words


def test_no_end_is_told_that_nobody_lives_to_see() -> None:
    crawling = [[second, 1, second // 30] for second in range(61)]
    run = make_run(bytes_to_copy=10**13, samples=crawling)
    assert estimates.time_left(run) is None


def test_the_chart_fits_its_frame() -> None:
    chart = estimates.chart(make_run(samples=STEADY))
    assert chart is not None
    numbers = [float(it) for it in chart.line.replace("M", "").replace("L", "").split()]
    assert all(0 <= x <= 1000 for x in numbers[::2])
    assert all(0 <= y <= 100 for y in numbers[1::2])
    assert chart.average == pytest.approx(20)


def test_a_few_large_messages_may_be_most_of_the_size() -> None:
    run = make_run(
        messages=100,
        already_there=10,
        copied=40,
        bytes=1000,
        bytes_to_copy=950,
        bytes_copied=50,
    )
    assert estimates.percent(run) == 10
    assert estimates.percent_of_messages(run) == 50
