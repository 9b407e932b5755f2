"""The connections to one side, each with one thing to do at a time."""

from __future__ import annotations

import asyncio

from purelymanage.migrations.engines.base import CopyOptions
from purelymanage.migrations.engines.pipeline.orders import Orders
from purelymanage.migrations.engines.pipeline.sides import Sides
from purelymanage.migrations.engines.pipeline.tally import Tally
from purelymanage.migrations.engines.pipeline.throttle import Budget, Pace
from purelymanage.migrations.engines.pipeline.transfer import Transfer
from tests.imap.dovecot import Dovecot
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
