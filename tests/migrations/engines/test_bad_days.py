"""A few of the copies that `tests/benchmarks/chaos.py` makes by the thousand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.imap.dovecot import Dovecot
from tests.migrations.engines.bad_day import Report, copy_on_a_bad_day, fill
from tests.migrations.engines.conftest import NewUser

SEEDS = range(1, 13)


@pytest.mark.slow
def test_copies_over_bad_lines_end_equal(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto = new_user(old)
    fill(old, otto)

    def copy_once(seed: int, anna: str) -> Report:
        return copy_on_a_bad_day(old, otto, new, anna, seed=seed)

    with ThreadPoolExecutor(4) as pool:
        users = [new_user(new) for _ in SEEDS]
        reports = list(pool.map(copy_once, SEEDS, users))

    assert [it.seed for it in reports if not it.is_equal] == []
    # And it was a bad day
    assert sum(it.met["cut"] for it in reports) > 3
    assert sum(it.met["reordered"] for it in reports) > 10
