from __future__ import annotations

import pytest

from tests.migrations.campaigns import rush
from tests.panel import Panel

pytestmark = pytest.mark.slow

PEOPLE, PARALLEL = 300, 6


def test_of_three_hundred_at_once_nobody_waits_for_long_and_none_is_lost(
    panel: Panel,
) -> None:
    """How many a quick machine need not turn away is told by `tests.benchmarks.rush`,
    and how long other pages take meanwhile.
    """
    told = rush.measure(panel, people=PEOPLE, parallel=PARALLEL)
    said = told.in_short
    assert {it.status for it in told.answers} <= {200, rush.OVERLOADED}, said
    assert all(it.says_when_again for it in told.turned_away), said
    assert told.longest < 15, said
    assert told.repeated < rush.MOST_REPEATED, said
    assert told.stored == {"right": PEOPLE}, told.stored
    assert told.at_once <= PARALLEL, told.at_once
    assert told.page_statuses == {200}, told.page_statuses
