"""What lies between the two sides: messages on their way, and how many may be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from purelymanage.imap.errors import ImapError
from purelymanage.imap.messages import Message

from .listing import Listing, Mark
from .outbox import Outbox
from .tally import Tally
from .work import Job, Target, leave_out

PIECES_HELD = 8


class FolderChanged(ImapError):
    """The folder is no longer the one that was read."""

    retry = True


class Window:
    """How much mail may be in memory. What is larger passes when it is empty."""

    def __init__(self, size: int) -> None:
        self._size = self._free = size
        self._changed = asyncio.Condition()

    async def take(self, size: int) -> int:
        weight = min(size, self._size)
        async with self._changed:
            await self._changed.wait_for(lambda: self._free >= weight)
            self._free -= weight
        return weight

    async def drained(self) -> None:
        """Wait until nothing is on its way any more."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._free == self._size)

    async def give(self, weight: int) -> None:
        async with self._changed:
            self._free += weight
            self._changed.notify_all()


class Stream:
    """A large message between the connection that reads it and the one that writes."""

    def __init__(self) -> None:
        self.size: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue(PIECES_HELD)
        self._dropped = False

    async def begin(self, size: int) -> None:
        self.size.set_result(size)

    async def write(self, piece: bytes) -> None:
        if not self._dropped:
            await self._pieces.put(piece)

    async def end(self) -> None:
        if not self._dropped:
            await self._pieces.put(None)

    def drop(self) -> None:
        """Nobody will take it; let the connection read on."""
        self._dropped = True
        while not self._pieces.empty():
            self._pieces.get_nowait()

    async def pieces(self) -> AsyncIterator[bytes]:
        while (piece := await self._pieces.get()) is not None:
            yield piece


@dataclass(slots=True)
class Parcel:
    """A message on its way."""

    target: Target
    job: Job
    listing: Listing
    row: int
    message: Message
    body: bytes | Stream
    # What it takes up in the window.
    weight: int

    def mark(self, mark: Mark) -> None:
        self.listing.marks[self.row] = mark

    @property
    def is_streamed(self) -> bool:
        return isinstance(self.body, Stream)

    @property
    def size(self) -> int:
        """Return what it takes up in a command of many, without a stream."""
        return len(self.body) if isinstance(self.body, bytes) else 0


@dataclass(slots=True)
class Passage:
    """What the fetching and the delivering side share."""

    window: Window
    tally: Tally
    # One message at a time, to find the one that ends the connection.
    careful: bool
    outbox: Outbox = field(default_factory=Outbox)
    stopping: bool = False
    # Messages that the destination has answered, and their bytes.
    answered: int = 0
    answered_bytes: int = 0

    def fail(self, job: Job, listing: Listing, row: int, reason: str) -> None:
        """Leave a message out for good, and say why."""
        leave_out(job, listing, row, reason, self.tally)
