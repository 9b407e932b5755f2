"""Asks for each page in this process, and tells how long that takes.

What counts is the time of the processor, in this process and in the one of the database
that answers it: the clock says more of what else the machine does. Downloads are sent
while they are made, so that the time until they begin counts.

Each is asked for with the room that the web server gives to a request (`call_depth`).
Without it, the same page took up to three times as long or not, by how many functions
were under way in this very program: nothing that anybody waits for.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from django.db import connection
from django.test.utils import CaptureQueriesContext

from purelymanage import garbage, preloading
from purelymanage.accounts.models import User
from purelymanage.migrations.models import Run
from tests.benchmarks.load.asking import (
    LEFT_OUT,
    Ask,
    Browser,
    asks_of_all,
    forget_limits,
)

MOST = 100.0  # milliseconds
# Some ask one thing more where there is something to ask about; what goes by the number
# of rows takes ten times as many.
SPARE = 5
NO_PAGE = 405  # an action: nothing answers to GET
LONGEST_SHOWN = 66
# By what was asked for, without what names rows or what was seen.
Counts = dict[tuple[str, str, bool], int]


@dataclass(frozen=True)
class Measured:
    ask: Ask
    status: int
    queries: int
    # How many it took with a tenth of the rows, if it was asked there.
    queries_before: int | None
    size: int
    database: float
    processor: tuple[float, float]

    @property
    def is_late(self) -> bool:
        return self.processor[1] >= MOST

    @property
    def grows(self) -> bool:
        before = self.queries_before
        return before is not None and self.queries > before + SPARE

    @property
    def verdict(self) -> str:
        found = {
            f"answers {self.status}": self.status >= 500 and self.status != 503,
            f"over {MOST:.0f} ms": self.is_late,
            f"more queries than {self.queries_before}": self.grows,
        }
        return ", ".join(it for it, is_so in found.items() if is_so)

    def __str__(self) -> str:
        path = unquote(self.ask.path)
        shown = f"{path} (part)" if self.ask.is_part else path
        if len(shown) > LONGEST_SHOWN:
            shown = f"{shown[: LONGEST_SHOWN - 1]}…"
        figures = (*self.processor, self.database)
        return (
            f"{shown:{LONGEST_SHOWN}}{self.status:5}{self.queries:5}{self.size:9,}"
            + "".join(f"{it:8.1f}" for it in figures)
            + f"  {self.verdict or 'well'}"
        )


def count(owner: User, only: str) -> Counts:
    """Return how many queries each takes, here and now."""
    browser = Browser(owner)
    return {
        _key(ask): _queries(browser, ask) for ask in asks_of_all(browser, only, _rows())
    }


def measure(
    owner: User, times: int, only: str = "", before: Counts | None = None
) -> list[Measured]:
    # As the web server does; and what is left from filling is no garbage of the pages.
    preloading.load_views_and_templates()
    garbage.spare_what_is_loaded()
    # What answers has to stay the same process.
    connection.close()
    connection.settings_dict["CONN_MAX_AGE"] = None
    browser = Browser(owner)
    found = [
        _measure(browser, ask, times, (before or {}).get(_key(ask)))
        for ask in dict.fromkeys(asks_of_all(browser, only, _rows()))
    ]
    return sorted(found, key=lambda it: -it.processor[1])


def _rows() -> dict[str, str]:
    """Return the addresses of what moves, for `FURTHER`."""
    run = Run.objects.running().order_by("pk").first()
    assert run is not None
    return {
        "running": f"/migrations/jobs/{run.job_id}/",
        "run": f"/migrations/runs/{run.pk}/",
    }


def _key(ask: Ask) -> tuple[str, str, bool]:
    """Name it without its figures, which differ from one database to another."""
    path = "".join(it for it in ask.path.partition("?")[0] if not it.isdigit())
    names = ask.path.partition("?")[2].split("&")
    query = sorted({it.partition("=")[0] for it in names})
    return f"{ask.name} {path}", " ".join(query), ask.is_part


def _measure(browser: Browser, ask: Ask, times: int, before: int | None) -> Measured:
    ours, theirs = [], []
    browser.make_ready(ask)
    answer = browser.get(ask)  # what is loaded once
    answer.close()
    if answer.status_code == NO_PAGE:
        return Measured(ask, NO_PAGE, 0, None, 0, 0.0, (0.0, 0.0))
    database = _processor_of_database()
    for _ in range(times):
        forget_limits()
        busy, busy_there = time.process_time(), database()
        answer = browser.get(ask)
        size = len(next(iter(answer), b""))
        theirs.append(1000 * (database() - busy_there))
        ours.append(1000 * (time.process_time() - busy))
        answer.close()
    both = [one + other for one, other in zip(ours, theirs, strict=True)]
    return Measured(
        ask,
        status=answer.status_code,
        queries=_queries(browser, ask),
        queries_before=before,
        size=size,
        database=statistics.median(theirs),
        processor=_middle_and_most(both),
    )


def _queries(browser: Browser, ask: Ask) -> int:
    browser.make_ready(ask)
    browser.get(ask).close()
    forget_limits()
    with CaptureQueriesContext(connection) as queries:
        browser.get(ask).close()
    return len(queries)


def _middle_and_most(times: list[float]) -> tuple[float, float]:
    """Return the median, and what nineteen in twenty stay below."""
    return statistics.median(times), sorted(times)[round(0.95 * (len(times) - 1))]


def _processor_of_database() -> Callable[[], float]:
    """Return what tells how long the database has worked for this connection."""
    connection.ensure_connection()
    with connection.cursor() as cursor:
        # All of the work is done where it can be measured.
        cursor.execute("SET max_parallel_workers_per_gather = 0")
    statistics_of = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    return lambda: int(statistics_of.read_text().split()[0]) / 1e9


def tell(found: list[Measured]) -> bool:
    """Print a table of all, and return whether each is as it may be."""
    heads = ("asked for", "", "qu.", "bytes", "median", "p95", "of db")
    line = f"{{:{LONGEST_SHOWN}}}{{:>5}}{{:>5}}{{:>9}}{{:>8}}{{:>8}}{{:>8}}  verdict\n"
    sys.stdout.write(line.format(*heads))
    asked = [it for it in found if it.status != NO_PAGE]
    for it in asked:
        sys.stdout.write(f"{it}\n")
    actions = sorted({it.ask.name for it in found} - {it.ask.name for it in asked})
    compared = sum(it.queries_before is not None for it in asked)
    sys.stdout.write(
        f"{len(asked)} answers, {sum(it.is_late for it in asked)} of them over "
        f"{MOST:.0f} ms of the processor in one of twenty cases. "
        f"{sum(it.grows for it in asked)} of {compared} that were counted twice take "
        f"over {SPARE} queries more where there is ten times as much.\n"
        f"Not asked for, as they only do something: {', '.join(actions) or 'none'}. "
        + "".join(f"Nor {name}: {reason}." for name, reason in LEFT_OUT.items())
        + "\n"
    )
    sys.stdout.flush()
    return not any(it.verdict for it in asked)
