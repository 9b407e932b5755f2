"""A few of the copies that `tests/benchmarks/chaos.py` makes by the thousand."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from purelymanage.migrations.engines.base import Progress, Stop, Verdict
from tests.imap.dovecot import Dovecot
from tests.imap.proxy import Proxy
from tests.migrations.engines.bad_day import Report, copy_on_a_bad_day, fill
from tests.migrations.engines.conftest import NewUser
from tests.migrations.engines.copying import copy, through

# Bytes after which the line to one side falls silent, all through a copy.
SILENCES = (10, 200, 900, 1_500, 4_000, 12_000, 40_000)
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


@pytest.mark.slow
@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_copy_can_be_stopped_at_any_point(
    old: Dovecot, new: Dovecot, new_user: NewUser, side: str
) -> None:
    otto = new_user(old)
    fill(old, otto)

    def stop_in(silence: int, anna: str) -> float:
        asked = 0.0

        def stop(progress: Progress) -> None:
            nonlocal asked
            # By then it hangs, wherever that is
            if time.monotonic() - began > 1:
                asked = time.monotonic()
                raise Stop

        with (
            Proxy(old.port, stall_after=silence if side == "source" else None) as here,
            Proxy(new.port, stall_after=silence if side != "source" else None) as there,
        ):
            began = time.monotonic()
            source, destination = through(here, old, otto), through(there, new, anna)
            outcome = copy(source, destination, stop)
            took = time.monotonic() - asked
        assert outcome.verdict in {Verdict.STOPPED, Verdict.COMPLETE}, outcome
        return took if outcome.verdict == Verdict.STOPPED else 0

    with ThreadPoolExecutor(len(SILENCES)) as pool:
        users = [new_user(new) for _ in SILENCES]
        times = list(pool.map(stop_in, SILENCES, users))

    assert max(times) < 2
    # And most of them did hang
    assert len([it for it in times if it]) > len(SILENCES) // 2
