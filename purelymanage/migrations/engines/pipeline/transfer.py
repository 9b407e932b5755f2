"""One pass over everything that is missing, over connections that work."""

from __future__ import annotations

import asyncio

from purelymanage.imap.connection import Connection

from .delivering import Deliverer
from .fetching import Fetcher
from .passage import Passage, Window
from .tally import Tally
from .throttle import Budget, Pace
from .work import Job, Target


class Transfer:
    """A lost connection ends it; the marks in the listings say how far it came."""

    def __init__(
        self,
        source: Connection,
        destinations: list[Connection],
        tally: Tally,
        *,
        window: int,
        careful: bool,
        pace: Pace,
        budget: Budget,
    ) -> None:
        self._pace = pace
        self._budget = budget
        self._source = source
        self._destinations = destinations
        self._window = window
        self._passage = Passage(Window(window), tally, careful)
        self._fetching: asyncio.Task[None] | None = None
        self._fetcher: Fetcher | None = None

    @property
    def current(self) -> tuple[Job, int] | None:
        """Return the message that was asked for last."""
        return self._fetcher.current if self._fetcher is not None else None

    async def run(self, targets: list[Target]) -> None:
        async with asyncio.TaskGroup() as group:
            self._fetcher = Fetcher(
                self._source,
                self._passage,
                group,
                window=self._window,
                pace=self._pace,
                budget=self._budget,
            )
            self._fetching = group.create_task(self._fetch(self._fetcher, targets))
            for destination in self._destinations:
                deliverer = Deliverer(
                    destination,
                    self._passage,
                    group,
                    siblings=len(self._destinations),
                )
                group.create_task(deliverer.deliver_all())

    def stop(self) -> None:
        """Send nothing more; `run` ends when what was sent has been answered."""
        self._passage.stopping = True
        if self._fetching is not None:
            self._fetching.cancel()
        while not self._passage.outbox.empty():
            self._passage.outbox.get_nowait()
        self._end()

    async def _fetch(self, fetcher: Fetcher, targets: list[Target]) -> None:
        await fetcher.fetch_all(targets)
        self._end()

    def _end(self) -> None:
        for _ in self._destinations:
            self._passage.outbox.put_nowait(None)
