"""How much may be asked of the servers: so many messages a second, so many bytes."""

from __future__ import annotations

import asyncio
import time

from purelymanage.migrations.engines.base import BudgetUsed


class Pace:
    """Lets messages pass evenly, also after a time in which none came."""

    def __init__(self, messages_a_second: float | None) -> None:
        self._rate = messages_a_second
        self._next = 0.0

    @property
    def at_once(self) -> int | None:
        """Return how many may be asked for together, if that matters."""
        return None if self._rate is None else max(1, int(self._rate / 2))

    async def wait(self, messages: int) -> None:
        """Wait until it is the turn of so many."""
        if self._rate is None:
            return
        start = max(time.monotonic(), self._next)
        # Taken before waiting, so that whoever comes meanwhile comes after.
        self._next = start + messages / self._rate
        await asyncio.sleep(start - time.monotonic())


class Budget:
    """How many bytes may still be asked of the source."""

    def __init__(self, most_bytes: int | None) -> None:
        self._left = most_bytes
        self._refused = False

    def take(self, size: int) -> bool:
        """Say whether a message may still be asked for; a smaller one may fit."""
        if self._left is None:
            return True
        if size > self._left:
            self._refused = True
            return False
        self._left -= size
        return True

    def check(self) -> None:
        """Raise BudgetUsed if some message had to stay behind."""
        if self._refused:
            raise BudgetUsed("As much was copied as is allowed for now.")
