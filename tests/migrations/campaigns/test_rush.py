from __future__ import annotations

import pytest

from tests.migrations.campaigns import rush
from tests.panel import Panel

pytestmark = pytest.mark.slow

PEOPLE, PARALLEL = 300, 6


def test_of_three_hundred_at_once_nobody_waits_for_long_and_none_is_lost(
    panel: Panel,
) -> None:
    """How long other pages take meanwhile is measured by `tests.benchmarks.rush`."""
    told = rush.measure(panel, people=PEOPLE, parallel=PARALLEL)
    assert {status for status, _ in told.answers} == {200}, told
    assert told.longest < 15, told
    assert told.stored == {"right": PEOPLE}, told
    assert told.at_once <= PARALLEL, told
    assert told.page_statuses == {200}, told
