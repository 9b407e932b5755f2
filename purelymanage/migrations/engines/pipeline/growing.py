"""How many connections are worth their while, and in what form: found by trying.

Most servers take a whole mailbox over one connection as fast as the line brings it,
and some are slower with two. Others work on one message at a time and let each of us
wait, so that twice the connections bring twice as much. Nobody can tell beforehand.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from purelymanage.imap.connection import SMALL_LITERAL, Connection
from purelymanage.migrations.engines.base import CopyOptions

from .delivering import Deliverer
from .orders import Orders
from .passage import Passage
from .sides import Side

if TYPE_CHECKING:
    from .transfer import Transfer

# How long it is watched before and after a change.
SPAN = 3.0
# A connection that brings less than this is one too many.
GAIN = 1.15
# As much work as so many bytes is a message by itself.
OF_ONE_MESSAGE = 16 * 1024
# Bytes a second above which packing costs more than the line does.
SLOW_LINE = 4 * 1024 * 1024
# Fewer messages are sent before a further connection stands.
FEW = 8
# Waiting in all, in seconds, that is worth a further connection.
WORTH = 1.0


@dataclass(frozen=True, slots=True)
class Pulse:
    """How a stretch of the copy went."""

    # By which two of them are compared, in no unit.
    work: float
    bytes_a_second: float
    # Whether the destination had to wait for mail, and not the other way round.
    starved: bool


class Growth:
    def __init__(
        self,
        transfer: Transfer,
        departure: Side,
        arrival: Side,
        passage: Passage,
        orders: Orders,
        options: CopyOptions,
    ) -> None:
        self._transfer = transfer
        self._departure = departure
        self._arrival = arrival
        self._passage = passage
        self._orders = orders
        self._options = options
        # Counted now, before anything has been asked for.
        self._waits = _waits(arrival.connections[0], orders)
        orders.spread = self._wanted()

    async def grow(self) -> None:
        """Make whichever side is waited for faster, as long as that is possible."""
        await self._widen()
        if not self._orders.ended:
            # The look at the other folders takes its share of both lines.
            while not self._orders.ended:
                await self._orders.change()
            self._waits = _waits(self._arrival.connections[0], self._orders)
            await self._widen()
        if self._options.messages_a_second is not None:
            # It is as slow as somebody wants it to be.
            return
        # The beginning is slower than what comes after, and nothing to compare with.
        await asyncio.sleep(SPAN / 2)
        await self._compress_if_slow(await self._watch(SPAN / 2))
        helpful = [self._departure, self._arrival]
        while helpful:
            pulse = await self._watch()
            if not self._orders.left and not len(self._passage.outbox):
                return
            side = self._departure if pulse.starved else self._arrival
            if await self._compress_if_slow(pulse):
                continue
            if side in helpful and not await self._try(side, pulse):
                helpful.remove(side)

    async def _compress_if_slow(self, pulse: Pulse) -> bool:
        """Pack what goes over both lines: as soon as one is faster, it is the other.

        Where it is not the line that is slow, there is little to pack.
        """
        if pulse.bytes_a_second >= SLOW_LINE:
            return False
        able = [it for it in (self._departure, self._arrival) if it.can_compress]
        await asyncio.gather(*(side.compress() for side in able))
        return bool(able)

    async def _widen(self) -> None:
        """Bring it to as many connections as are worth it from the start."""
        missing = self._wanted() - self._transfer.width
        # No group of its own: it would end a moment after the one that all work is
        # in, and what came in that moment could not be put to work any more.
        await asyncio.gather(*(self._add_destination() for _ in range(missing)))

    def _wanted(self) -> int:
        """Return how many are worth it from the start.

        Where each message has to wait for leave, several may wait at a time.
        """
        if self._waits < FEW:
            return 1
        waiting = self._waits * self._arrival.connections[0].round_trip
        wanted = self._options.connections
        while wanted < self._options.most_connections and waiting / wanted > WORTH:
            wanted += 1
        return wanted

    async def _try(self, side: Side, before: Pulse) -> bool:
        """Add a connection, and say whether it was worth it."""
        if not side.may_join(self._options.connections):
            return False
        if side is self._departure:
            connection = await side.join()
            if connection is None:
                return False
            self._transfer.fetch_over(connection, self._orders)
            after = await self._watch()
            return after.work > before.work * GAIN
        deliverer = await self._add_destination()
        if deliverer is None:
            return False
        after = await self._watch()
        if after.work > before.work * GAIN or after.starved:
            return True
        deliverer.retire()
        return False

    async def _add_destination(self) -> Deliverer | None:
        connection = await self._arrival.join()
        if connection is None:
            return None
        deliverer = self._transfer.deliver_over(connection)
        self._orders.spread = max(self._orders.spread, self._transfer.width)
        return deliverer

    async def _watch(self, span: float | None = None) -> Pulse:
        span = span or SPAN
        passage = self._passage
        messages, size = passage.answered, passage.answered_bytes
        idle = passage.outbox.idle
        await asyncio.sleep(span)
        size = passage.answered_bytes - size
        messages = passage.answered - messages
        idle = passage.outbox.idle - idle
        return Pulse(
            size + messages * OF_ONE_MESSAGE,
            size / span,
            idle > span * self._transfer.width / 2,
        )


def _waits(destination: Connection, orders: Orders) -> int:
    """Return how many messages have to wait for leave to be sent."""
    if destination.has("LITERAL+"):
        return 0
    return orders.larger_than(SMALL_LITERAL if destination.has("LITERAL-") else -1)
