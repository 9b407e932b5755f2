"""The connections to one side, each with one thing to do at a time."""

from __future__ import annotations

import asyncio
from typing import Any

from purelymanage.migrations.engines.base import CopyOptions
from purelymanage.migrations.engines.pipeline.orders import Orders
from purelymanage.migrations.engines.pipeline.sides import Side, Sides
from purelymanage.migrations.engines.pipeline.tally import Tally
from purelymanage.migrations.engines.pipeline.throttle import Budget, Pace
from purelymanage.migrations.engines.pipeline.transfer import Transfer
from tests.imap.dovecot import Dovecot
from tests.imap.scripted import Scripted
from tests.migrations.engines.conftest import NewUser


def test_the_first_connection_is_not_put_to_work_twice(
    old: Dovecot, new_user: NewUser
) -> None:
    """In another folder, numbers of messages mean other messages."""

    async def try_() -> None:
        options, tally = CopyOptions(dry_run=False), Tally()
        otto, anna = old.account(new_user(old)), old.account(new_user(old))
        sides = Sides(otto, anna, options, tally)
        try:
            await sides.connect()
            # As after a look that took long: a second pass goes over the first ones.
            sides.rest()
            pace, budget = Pace(None), Budget(None, lambda: None)
            transfer = Transfer(
                sides, options, tally, careful=True, pace=pace, budget=budget
            )
            orders = Orders()
            orders.end()
            await transfer.run(orders)
            for side in (sides.departure, sides.arrival):
                assert side is not None
                assert not side.has_spare
                assert await side.join() is not side.connections[0]
        finally:
            await sides.close(politely=False)

    asyncio.run(try_())


def test_a_further_connection_that_breaks_as_it_is_compressed_is_forgotten() -> None:
    """It was opened ahead, by a task that nobody asks what became of it."""
    lost: list[dict[str, Any]] = []

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"* PREAUTH [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] hello\r\n")
        first = not server.heard
        server.heard.append(await reader.readline())
        if first:
            tag = server.heard[0].split(b" ")[0]
            writer.write(tag + b" OK from here on\r\n")
            await reader.read()

    async def try_() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, it: lost.append(it))
        side = Side(server.account(), CopyOptions(dry_run=False), Tally())
        try:
            first = await side.connect()
            await side.compress()
            side.join_ahead(1)
            await side.opened()
            assert side.connections == [first]
            assert not side.has_spare
        finally:
            await side.close(politely=False)

    with Scripted(script) as server:
        asyncio.run(try_())
    assert lost == []
