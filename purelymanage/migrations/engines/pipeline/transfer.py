"""One pass over everything that is missing, over connections that work."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from purelymanage.imap.connection import Connection
from purelymanage.migrations.engines.base import CopyOptions

from .delivering import Deliverer
from .fetching import Fetcher
from .growing import Growth
from .orders import Orders
from .passage import Passage, Window
from .sides import Pair, Sides
from .tally import Tally
from .throttle import Budget, Pace
from .work import Job


class Transfer:
    """A lost connection ends it; the marks in the listings say how far it came."""

    def __init__(
        self,
        sides: Sides,
        options: CopyOptions,
        tally: Tally,
        *,
        careful: bool,
        pace: Pace,
        budget: Budget,
    ) -> None:
        self._sides = sides
        self._options = options
        self._pace = pace
        self._budget = budget
        self._passage = Passage(Window(options.byte_window), tally, careful)
        self._group = asyncio.TaskGroup()
        self._fetchers: list[Fetcher] = []
        self._fetching: set[asyncio.Task[None]] = set()
        self._delivering: set[asyncio.Task[None]] = set()
        self._growing: asyncio.Task[None] | None = None

    @property
    def current(self) -> tuple[Job, int] | None:
        """Return the message that was asked for last."""
        return self._fetchers[0].current if self._fetchers else None

    @property
    def width(self) -> int:
        """Return how many connections to the destination are at work."""
        return len(self._delivering)

    async def run(self, orders: Orders, over: Pair | None = None) -> None:
        """Copy what is ordered, to begin with over the first connections or others."""
        departure, arrival = self._sides.departure, self._sides.arrival
        if arrival is None:
            raise ValueError("Without a destination nothing can be copied.")
        async with self._group as group:
            source, destination = over or (departure.first(), arrival.first())
            self.fetch_over(source, orders)
            self.deliver_over(destination)
            if not self._passage.careful:
                growth = Growth(
                    self, departure, arrival, self._passage, orders, self._options
                )
                self._growing = group.create_task(growth.grow())
            while self._fetching:
                await asyncio.wait(self._fetching)
            self._passage.outbox.end()
            while self._delivering:
                await asyncio.wait(self._delivering)
            if self._growing is not None:
                self._growing.cancel()

    def fetch_over(self, connection: Connection, orders: Orders) -> None:
        """Let a connection to the source take part."""
        fetcher = Fetcher(
            connection,
            self._passage,
            self._group,
            window=self._options.byte_window,
            pace=self._pace,
            budget=self._budget,
        )
        self._fetchers.append(fetcher)
        self._begin(self._fetching, fetcher.fetch_all(orders))

    def deliver_over(self, connection: Connection) -> Deliverer:
        """Let a connection to the destination take part."""
        deliverer = Deliverer(connection, self._passage, self._group)
        self._begin(self._delivering, deliverer.deliver_all())
        return deliverer

    def stop(self) -> None:
        """Send nothing more; `run` ends when what was sent has been answered."""
        self._passage.stopping = True
        if self._growing is not None:
            self._growing.cancel()
        for task in self._fetching:
            task.cancel()
        self._passage.outbox.clear()
        self._passage.outbox.end()

    def _begin(
        self, tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]
    ) -> None:
        task = self._group.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
