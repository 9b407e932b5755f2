"""How much may be asked of the servers: so many messages a second, so many bytes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from purelymanage.migrations.engines.base import Allowance, BudgetUsed, Leave

# What is taken at a time: so much may be lost for a day with a worker that is killed.
PIECE = 8 * 1024 * 1024


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
    """How many bytes may still be asked of the source.

    Leave for more is asked for in another thread, which the loop of this one must not
    wait for: so a question is left here, and `answer` is called over there.
    """

    def __init__(self, allowance: Allowance | None, wake: Callable[[], None]) -> None:
        self._allowance = allowance
        self._wake = wake
        self._left = 0
        # What is as large need not be asked for again: there is less and less.
        self._too_large: int | None = None
        self._refused = False
        self._question: _Question | None = None
        # Of several connections, one asks at a time.
        self._asking = asyncio.Lock()

    async def take(self, size: int) -> bool:
        """Say whether a message may still be asked for; a smaller one may fit."""
        if self._allowance is None:
            return True
        async with self._asking:
            while size > self._left:
                if self._too_large is not None and size >= self._too_large:
                    self._refused = True
                    return False
                question = self._question = _Question(size - self._left)
                self._wake()
                if not await question.answer:
                    self._too_large = size
            self._left -= size
        return True

    def answer(self) -> None:
        """Ask for leave if somebody waits for it; called in the other thread."""
        question, self._question = self._question, None
        if question is None or self._allowance is None:
            return
        leave = self._allowance.take(question.least, max(question.least, PIECE))
        with suppress(RuntimeError):  # the loop has just ended
            question.loop.call_soon_threadsafe(self._receive, question, leave)

    def _receive(self, question: _Question, leave: Leave) -> None:
        # Whoever asked may have been cancelled since; others may use it.
        self._left += leave.granted
        if not question.answer.done():
            question.answer.set_result(leave.granted)

    def check(self) -> None:
        """Raise BudgetUsed if some message had to stay behind."""
        if self._refused:
            raise BudgetUsed("As much was copied as is allowed for now.")


class _Question:
    def __init__(self, least: int) -> None:
        self.least = least
        self.loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[int] = self.loop.create_future()
