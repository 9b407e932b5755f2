"""Making the folders that the destination lacks."""

from __future__ import annotations

import asyncio

from purelymanage.imap import names
from purelymanage.imap.connection import Connection
from purelymanage.imap.errors import Refused
from purelymanage.imap.folders import create_folder, subscribe

from .tally import Tally
from .work import Target, words


async def create_folders(
    destination: Connection, targets: list[Target], tally: Tally
) -> list[Target]:
    """Create and subscribe to what is not there yet, all at once.

    Returns the targets that there are now: two names that are not allowed there may
    become one that is, and to some servers small and capital letters are the same.
    """

    async def create(target: Target) -> None:
        try:
            if not target.exists:
                target.found = not await _create(destination, target, tally)
                target.exists = True
            if target.wanted and not target.subscribed:
                await subscribe(destination, target.wire)
                target.subscribed = True
        except Refused as exc:
            for job in target.jobs:
                job.fail(tally, words(exc))

    async with asyncio.TaskGroup() as group:
        for target in targets:
            if target.open_jobs():
                group.create_task(create(target))
    return _merged(targets, tally)


async def _create(destination: Connection, target: Target, tally: Tally) -> bool:
    """Create a folder, and return False if it was there although it was not listed."""
    try:
        return await create_folder(destination, target.wire, target.parents)
    except Refused as exc:
        if exc.retry or not target.spare:
            raise
        *parents, wire = (names.encode(name) for name in target.spare)
        try:
            is_new = await create_folder(destination, wire, parents)
        except Refused:
            # The name that was asked for is the one to talk about.
            raise exc from None
        name = target.spare[-1]
        tally.note(f"{target.name}: the destination allows no such name, so {name}")
        target.wire, target.name = wire, name
        for job in target.jobs:
            job.progress.destination = name
        return is_new


def _merged(targets: list[Target], tally: Tally) -> list[Target]:
    kept: dict[bytes, Target] = {}
    by_letters: dict[str, Target] = {}
    for target in sorted(targets, key=lambda it: it.found):
        letters = target.name.casefold()
        home = kept.get(target.wire)
        if home is None and target.found:
            home = by_letters.get(letters)
        if home is None:
            kept[target.wire] = by_letters[letters] = target
            continue
        if home.name != target.name:
            tally.note(f"{target.name}: to the destination, this is {home.name}")
        for job in target.jobs:
            job.progress.destination = home.name
        home.jobs += target.jobs
    return [target for target in targets if kept.get(target.wire) is target]
