"""How many connections are worth their while, found by trying.

Most servers take a whole mailbox over one connection as fast as the line brings it,
and some are slower with two. Others work on one message at a time and let each of us
wait, so that twice the connections bring twice as much. Nobody can tell beforehand.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from purelymanage.imap.connection import SMALL_LITERAL, Connection
from purelymanage.migrations.engines.base import CopyOptions

from .delivering import Deliverer
from .orders import Orders
from .passage import Passage
from .sides import Sides

if TYPE_CHECKING:
    from .transfer import Transfer

# How long it is watched before and after a change.
SPAN = 3.0
# A connection that brings less than this is one too many.
GAIN = 1.15
# As much work as so many bytes is a message by itself.
OF_ONE_MESSAGE = 16 * 1024
# Fewer messages are sent before a further connection stands.
FEW = 8
# Waiting in all, in seconds, that is worth a further connection.
WORTH = 1.0


class Growth:
    def __init__(
        self,
        transfer: Transfer,
        sides: Sides,
        passage: Passage,
        orders: Orders,
        options: CopyOptions,
    ) -> None:
        self._transfer = transfer
        self._sides = sides
        self._passage = passage
        self._orders = orders
        self._options = options
        self._sources = 1
        self._destinations = 1
        # Counted now, before anything has been asked for.
        self._waits = _waits(sides.destination, orders)

    async def grow(self) -> None:
        """Add connections as long as each makes the copy faster."""
        if self._waits:
            await self._hide_waiting()
        source_helps = destination_helps = True
        while source_helps or destination_helps:
            rate, starved = await self._watch()
            if not self._orders.left:
                return
            if starved:
                if source_helps:
                    source_helps = await self._try_source(rate)
            elif destination_helps:
                destination_helps = await self._try_destination(rate)

    async def _hide_waiting(self) -> None:
        """Where each message has to wait for leave, let several wait at a time."""
        first = self._sides.destination
        if first is None or self._waits < FEW:
            return
        waiting = self._waits * first.round_trip
        wanted = self._options.connections
        while wanted < self._options.most_connections and waiting / wanted > WORTH:
            wanted += 1
        async with asyncio.TaskGroup() as group:
            for _ in range(wanted - 1):
                group.create_task(self._add_destination())

    async def _try_source(self, before: float) -> bool:
        """Add a connection, and say whether it was worth it."""
        if self._sources >= self._options.connections:
            return False
        connection = await self._sides.join_source()
        if connection is None:
            return False
        self._sources += 1
        self._transfer.fetch_over(connection, self._orders)
        after, _ = await self._watch()
        return after > before * GAIN

    async def _try_destination(self, before: float) -> bool:
        if self._destinations >= self._options.connections:
            return False
        deliverer = await self._add_destination()
        if deliverer is None:
            return False
        after, starved = await self._watch()
        if after > before * GAIN or starved:
            return True
        deliverer.retire()
        return False

    async def _add_destination(self) -> Deliverer | None:
        connection = await self._sides.join_destination()
        if connection is None:
            return None
        self._destinations += 1
        return self._transfer.deliver_over(connection)

    async def _watch(self) -> tuple[float, bool]:
        """Return how fast it goes, and whether the destination had to wait for mail."""
        began = self._done()
        starved = self._passage.outbox.starved
        await asyncio.sleep(SPAN)
        rate = (self._done() - began) / SPAN
        return rate, self._passage.outbox.starved > starved

    def _done(self) -> int:
        passage = self._passage
        return passage.answered_bytes + passage.answered * OF_ONE_MESSAGE


def _waits(destination: Connection | None, orders: Orders) -> int:
    """Return how many messages have to wait for leave to be sent."""
    if destination is None or destination.has("LITERAL+"):
        return 0
    return orders.larger_than(SMALL_LITERAL if destination.has("LITERAL-") else -1)
