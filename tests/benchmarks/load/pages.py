"""Asks for each page in this process, and tells how long that takes.

What counts is the time of the processor, in this process and in the one of the database
that answers it: the clock says more of what else the machine does. Downloads are sent
while they are made, so that the time until they begin counts.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from purelymanage.accounts.models import User
from tests.proof import prove
from tests.routes import ROUTES

MOST = 100.0  # milliseconds
LEFT_OUT = {"account_logout"}  # ends what asks


@dataclass(frozen=True)
class Measured:
    name: str
    status: int
    queries: int
    size: int
    database: float
    processor: tuple[float, float]
    clock: tuple[float, float]

    @property
    def is_late(self) -> bool:
        return self.processor[1] >= MOST

    def __str__(self) -> str:
        figures = (*self.processor, self.database, *self.clock)
        return (
            f"{self.name:38}{self.status:4}{self.queries:4}{self.size:9,}"
            + "".join(f"{it:8.1f}" for it in figures)
            + (f"  OVER {MOST:.0f}" if self.is_late else "")
        )


def measure(owner: User, times: int, only: str = "") -> list[Measured]:
    # What is left from filling is no garbage of the pages.
    gc.collect()
    gc.freeze()
    # What answers has to stay the same process.
    connection.close()
    connection.settings_dict["CONN_MAX_AGE"] = None
    client = Client(raise_request_exception=False)
    client.force_login(owner)
    client.get("/")
    found = []
    for name, route in ROUTES.items():
        if name in LEFT_OUT or only not in name:
            continue
        cache.clear()  # the limits of how often one may ask
        prove(client)
        status = client.get(route.path).status_code
        if status == 405:  # nothing but an action
            continue
        found.append(_measure(client, name, route.path, times))
    return sorted(found, key=lambda it: -it.processor[1])


def _measure(client: Client, name: str, path: str, times: int) -> Measured:
    walls, ours, theirs = [], [], []
    database = _processor_of_database()
    for _ in range(times):
        began, busy, busy_there = time.perf_counter(), time.process_time(), database()
        answer = client.get(path)
        size = len(next(iter(answer), b""))
        theirs.append(1000 * (database() - busy_there))
        ours.append(1000 * (time.process_time() - busy))
        walls.append(1000 * (time.perf_counter() - began))
        answer.close()
    with CaptureQueriesContext(connection) as queries:
        client.get(path).close()
    both = [one + other for one, other in zip(ours, theirs, strict=True)]
    return Measured(
        name=name,
        status=answer.status_code,
        queries=len(queries),
        size=size,
        database=statistics.median(theirs),
        processor=_middle_and_most(both),
        clock=_middle_and_most(walls),
    )


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


def tell(found: list[Measured]) -> None:
    heads = ("page", "", "qu.", "bytes", "CPU", "p95", "of db", "clock", "p95")
    line = "{:38}{:>4}{:>4}{:>9}{:>8}{:>8}{:>8}{:>8}{:>8}\n"
    sys.stdout.write(line.format(*heads))
    for it in found:
        sys.stdout.write(f"{it}\n")
    late = sum(it.is_late for it in found)
    sys.stdout.write(f"{len(found)} pages, {late} of them over {MOST:.0f} ms\n")
    sys.stdout.flush()
