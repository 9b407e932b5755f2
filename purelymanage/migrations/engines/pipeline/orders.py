"""What is to be fetched from the source, cut into chunks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from .listing import Listing, Mark
from .work import Job, Target

# What a message takes up in memory besides its text.
PARCEL = 2 * 1024


@dataclass(slots=True)
class Order:
    """What is missing of one folder."""

    target: Target
    job: Job
    listing: Listing
    left: int
    total: int
    # How many connections fetch from this folder.
    hands: int = 0
    # Known once somebody begins, as all folders together may hold very many.
    _rows: list[int] = field(default_factory=list)
    _next: int = 0

    def cut(self, most_bytes: int, most: int) -> list[int]:
        """Take the next chunk; a large message is a chunk of its own."""
        if not self._rows:
            self._rows = self.listing.rows(Mark.MISSING)
        chunk: list[int] = []
        while self._next < len(self._rows) and len(chunk) < most:
            row = self._rows[self._next]
            size = self.listing.sizes[row] + PARCEL
            if chunk and size > most_bytes:
                break
            chunk.append(row)
            most_bytes -= size
            self._next += 1
        self.left = len(self._rows) - self._next
        return chunk


class Orders:
    """All that is missing, for one connection or for several.

    Each has a folder of its own while there are enough of them, and then helps out
    where there is most left to do. Where the destination is filled over several, they
    change between folders, so that none of those has to wait for a folder.

    Folders may be added while others are under way, until `end` is called.
    """

    def __init__(self, targets: Iterable[Target] = ()) -> None:
        # How many folders are under way at a time, as so many can be filled.
        self.spread = 1
        self.ended = False
        self._open: list[Order] = []
        self._news = asyncio.Event()
        for target in targets:
            self.add(target)

    def add(self, target: Target) -> None:
        """Take in what is missing of a folder."""
        self._open += [
            Order(target, job, job.listing, job.waiting, job.waiting)
            for job in target.open_jobs()
            if job.listing is not None and job.waiting
        ]
        self._tell()

    def end(self) -> None:
        """Nothing is added any more."""
        self.ended = True
        self._tell()

    async def change(self) -> None:
        """Wait until something is added, or the end."""
        await self._news.wait()

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    @property
    def left(self) -> int:
        """Return how many messages nobody has asked for yet."""
        return sum(order.left for order in self._open)

    def larger_than(self, size: int) -> int:
        """Return how many messages of more than `size` bytes there are."""
        return sum(
            order.listing.sizes[row] > size
            for order in self._open
            for row in order.listing.rows(Mark.MISSING)
        )

    async def coming(self, at: Order | None) -> Order | None:
        """Return where whoever is at work in `at` goes on, and wait until it is known.

        None means that nothing comes any more.
        """
        while (order := self.next(at)) is None and not self.ended:
            at = None
            await self.change()
        return order

    def next(self, at: Order | None) -> Order | None:
        """Return where to go on from `at` by what is known now."""
        self._open = [it for it in self._open if it.left and not it.job.failed]
        is_open = any(it is at for it in self._open)
        if at is not None and is_open and self.spread == 1:
            return at
        if at is not None:
            at.hands -= 1
        if not self._open:
            return None
        free = [order for order in self._open if not order.hands][: self.spread]
        if not free:
            best = max(self._open, key=lambda order: order.left)
        elif self.spread > 1:
            # All come to their end together, so that none is left for the last.
            best = max(free, key=lambda order: order.left / order.total)
        else:
            best = free[0]
        best.hands += 1
        return best
