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
    become one that is.
    """

    async def create(target: Target) -> None:
        try:
            if not target.exists:
                await _create(destination, target, tally)
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
    return _merged(targets)


async def _create(destination: Connection, target: Target, tally: Tally) -> None:
    try:
        await create_folder(destination, target.wire, target.parents)
    except Refused as exc:
        if exc.retry or not target.spare:
            raise
        *parents, wire = (names.encode(name) for name in target.spare)
        try:
            await create_folder(destination, wire, parents)
        except Refused:
            # The name that was asked for is the one to talk about.
            raise exc from None
        name = target.spare[-1]
        tally.note(f"{target.name}: the destination allows no such name, so {name}")
        target.wire, target.name = wire, name
        for job in target.jobs:
            job.progress.destination = name


def _merged(targets: list[Target]) -> list[Target]:
    by_wire: dict[bytes, Target] = {}
    for target in targets:
        first = by_wire.setdefault(target.wire, target)
        if first is not target:
            first.jobs += target.jobs
    return list(by_wire.values())
