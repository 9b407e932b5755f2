from __future__ import annotations

import asyncio

from purelymanage.imap.folders import Folder
from purelymanage.imap.messages import Message
from purelymanage.migrations.engines.base import FolderProgress
from purelymanage.migrations.engines.pipeline.listing import Listing
from purelymanage.migrations.engines.pipeline.outbox import Outbox
from purelymanage.migrations.engines.pipeline.passage import Parcel
from purelymanage.migrations.engines.pipeline.work import Job, Target


class Posts:
    """An outbox, and what was taken from it."""

    def __init__(self, **waiting: int) -> None:
        self.box = Outbox()
        for name, count in waiting.items():
            self.put(name, count)

    def put(self, name: str, count: int, size: int = 10) -> None:
        target = Target(name.encode(), name, exists=True, subscribed=True, parents=())
        job = Job(Folder(name.encode(), name, "/"), FolderProgress(name, name))
        for uid in range(1, count + 1):
            message = Message(uid, (), b"", b"x" * size)
            self.box.put(Parcel(target, job, Listing(), 0, message, b"x" * size, size))

    async def take(
        self, at: str | None, most: int = 1, room: int = 1_000
    ) -> tuple[str | None, list[int]]:
        wire = at.encode() if at is not None else None
        async with asyncio.timeout(1):
            where, batch = await self.box.take(wire, most=most, room=room)
        name = where.decode() if where is not None else None
        return name, [parcel.message.uid for parcel in batch]


def test_a_folder_is_emptied_in_its_order() -> None:
    async def run() -> None:
        posts = Posts(a=5, b=9)
        assert await posts.take(None, most=3) == ("b", [1, 2, 3])
        assert await posts.take("b", most=4) == ("b", [4, 5, 6, 7])
        # What comes meanwhile is no reason to go
        posts.put("a", 100)
        assert await posts.take("b", most=4) == ("b", [8, 9])
        assert await posts.take("b", most=2) == ("a", [1, 2])

    asyncio.run(run())


def test_each_connection_has_a_folder_of_its_own_as_long_as_there_are_enough() -> None:
    async def run() -> None:
        posts = Posts(a=6, b=5, c=4)
        first, _ = await posts.take(None)
        second, _ = await posts.take(None)
        third, _ = await posts.take(None)
        assert [first, second, third] == ["a", "b", "c"]
        # Each stays where it is
        assert (await posts.take("b"))[0] == "b"
        # A fourth helps where most is left for each
        assert (await posts.take(None))[0] == "a"

    asyncio.run(run())


def test_nobody_changes_folders_for_little() -> None:
    async def run() -> None:
        posts = Posts(a=20)
        assert (await posts.take(None))[0] == "a"
        assert (await posts.take(None))[0] == "a"
        posts.put("b", 12)
        assert (await posts.take("a"))[0] == "a"
        posts.put("b", 12)
        assert (await posts.take("a"))[0] == "b"

    asyncio.run(run())


def test_a_command_holds_no_more_than_it_may() -> None:
    async def run() -> None:
        posts = Posts(a=10)
        assert await posts.take(None, most=9, room=35) == ("a", [1, 2, 3])
        # One that is too large goes by itself
        assert await posts.take("a", most=9, room=5) == ("a", [4])

    asyncio.run(run())


def test_two_at_one_folder_leave_something_to_each_other() -> None:
    async def run() -> None:
        posts = Posts(a=11)
        assert await posts.take(None, most=5) == ("a", [1, 2, 3, 4, 5])
        assert await posts.take(None, most=5) == ("a", [6, 7, 8, 9])

    asyncio.run(run())


def test_whoever_waits_is_told_of_the_next_message_and_of_the_end() -> None:
    async def run() -> None:
        posts = Posts()
        waiting = asyncio.ensure_future(posts.take(None))
        await asyncio.sleep(0)
        posts.put("a", 1)
        assert await waiting == ("a", [1])
        waiting = asyncio.ensure_future(posts.take("a"))
        await asyncio.sleep(0)
        posts.box.end()
        assert await waiting == (None, [])
        assert 0 < posts.box.idle < 1

    asyncio.run(run())
