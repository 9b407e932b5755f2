"""Messages that wait for a connection to the destination, folder by folder.

A folder is best filled by one connection: its messages keep their order, and servers
lock a folder while something is put into it. Only where there are more connections
than folders do several share one.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .passage import Parcel


class Outbox:
    def __init__(self) -> None:
        self._waiting: dict[bytes, deque[Parcel]] = {}
        # How many connections are at work in a folder.
        self._tended: Counter[bytes] = Counter()
        self._news = asyncio.Event()
        self._ended = False
        # Seconds that connections had nothing to do, and since when some have now.
        self._idle = 0.0
        self._idle_since: list[float] = []

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    @property
    def idle(self) -> float:
        """Return for how many seconds connections had nothing to do, in all."""
        now = time.monotonic()
        return self._idle + sum(now - since for since in self._idle_since)

    def waiting(self, wire: bytes) -> int:
        """Return how many messages wait for a folder."""
        return len(self._waiting.get(wire, ()))

    def is_shared(self, wire: bytes) -> bool:
        """Say whether several connections are at work in a folder."""
        return self._tended[wire] > 1

    def put(self, parcel: Parcel) -> None:
        self._waiting.setdefault(parcel.target.wire, deque()).append(parcel)
        self._news.set()

    def end(self) -> None:
        """Nothing comes any more."""
        self._ended = True
        self._news.set()

    def clear(self) -> None:
        self._waiting.clear()

    async def take(
        self, at: bytes | None, *, most: int, room: int
    ) -> tuple[bytes | None, list[Parcel]]:
        """Return a folder and what may go into it with one command.

        `at` is the folder whoever asks is at work in. We wait for a first message and
        never for more. Without any the end has been reached.
        """
        while not self._waiting:
            if self._ended:
                self.leave(at)
                return None, []
            await self._wait()
        wire = self._choose(at)
        if wire != at:
            self.leave(at)
            self._tended[wire] += 1
        # The others shall have something to do as well.
        share = 1 + self.waiting(wire) // self._tended[wire]
        return wire, self._take(wire, min(most, share), room)

    def leave(self, at: bytes | None) -> None:
        """Say that a connection works in this folder no longer."""
        if at is not None:
            self._tended[at] -= 1

    async def _wait(self) -> None:
        since = time.monotonic()
        self._idle_since.append(since)
        self._news.clear()
        try:
            await self._news.wait()
        finally:
            self._idle_since.remove(since)
            self._idle += time.monotonic() - since

    def _choose(self, at: bytes | None) -> bytes:
        """Return the folder where there is most to do for one more connection."""

        def share(wire: bytes) -> float:
            others = self._tended[wire] - (wire == at)
            return len(self._waiting[wire]) / (1 + others)

        if at in self._waiting and self._tended[at] == 1:
            return at
        best = max(self._waiting, key=share)
        # To go elsewhere costs a command, and a server has to open that folder.
        stays = at in self._waiting and 2 * share(at) >= share(best)
        return at if at is not None and stays else best

    def _take(self, wire: bytes, most: int, room: int) -> list[Parcel]:
        waiting = self._waiting[wire]
        batch: list[Parcel] = []
        while waiting and len(batch) < most:
            parcel = waiting[0]
            if batch and (parcel.is_streamed or parcel.size > room):
                break
            batch.append(waiting.popleft())
            room -= parcel.size
            if parcel.is_streamed:
                break
        if not waiting:
            del self._waiting[wire]
        return batch
