"""Reading what lies in many folders, all commands under way at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from purelymanage.imap.connection import Connection
from purelymanage.imap.errors import Refused
from purelymanage.imap.messages import (
    Entering,
    Selected,
    Summary,
    enter,
    fetch_summaries,
    uid_set,
)

from . import identity
from .listing import Listing

# Folders under way at a time; the server works through them in order.
AHEAD = 24
# Few enough UIDs that the command stays below the 8,000 bytes all servers take.
UIDS_AT_ONCE = 400


@dataclass(slots=True)
class Reading:
    """One folder as it was found; `refusal` if the server did not let us in."""

    wire: bytes
    listing: Listing
    selected: Selected
    refusal: Refused | None = None

    @property
    def unlisted(self) -> int:
        """Return how many messages are counted and not told about."""
        return max(0, self.selected.exists - self.listing.seen)


OnRead = Callable[[Reading], None]


async def read_folders(
    connection: Connection,
    folders: list[tuple[bytes, Listing | None]],
    *,
    writable: bool,
    on_read: OnRead,
    since: date | None = None,
) -> None:
    """Read each folder, or what is new in it since the listing given with it.

    With `since`, only what arrived on that day or later counts.
    """
    limit = asyncio.Semaphore(AHEAD)

    async def read(wire: bytes, earlier: Listing | None) -> None:
        async with limit:
            listing = earlier if earlier is not None else Listing(since=since)
            reading = await _read(connection, wire, listing, writable=writable)
            if earlier is not None and not _continues(reading, earlier):
                listing = Listing(since=since)
                reading = await _read(connection, wire, listing, writable=writable)
                reading.listing.remember(earlier)
            if reading.listing.unidentified and reading.refusal is None:
                await _identify(connection, reading.listing, wire)
        on_read(reading)

    async with asyncio.TaskGroup() as group:
        for wire, earlier in folders:
            group.create_task(read(wire, earlier))


def _continues(reading: Reading, earlier: Listing) -> bool:
    """Say whether new messages are all that changed."""
    return reading.refusal is not None or (
        reading.selected.uid_validity == earlier.uid_validity
        and reading.selected.exists == earlier.seen
    )


async def _read(
    connection: Connection, wire: bytes, listing: Listing, *, writable: bool
) -> Reading:
    validity = listing.uid_validity or None

    def take(summary: Summary) -> None:
        # Under another UIDVALIDITY the numbers speak of other messages.
        if validity is None or entering.selected.uid_validity == validity:
            listing.add(summary)

    async with connection.turn:
        entering: Entering = await enter(connection, wire, writable=writable)
        answer = await fetch_summaries(
            connection, f"{listing.last_uid + 1}:*", identity.FIELDS, take
        )
    status = await entering.answer
    fetched = await answer
    reading = Reading(wire, listing, entering.selected)
    if not status.ok:
        reading.refusal = _refusal(connection, status.text, status.code)
    elif not fetched.ok and entering.selected.exists:
        reading.refusal = _refusal(connection, fetched.text, fetched.code)
        if not reading.refusal.retry and entering.selected.uid_next:
            reading.refusal = None
            await _read_around(connection, wire, listing, entering.selected)
    if reading.refusal is not None and reading.refusal.retry:
        raise reading.refusal
    if validity is None:
        listing.uid_validity = entering.selected.uid_validity
    return reading


async def _read_around(
    connection: Connection, wire: bytes, listing: Listing, selected: Selected
) -> None:
    """Read a folder around the messages that its server stumbles over."""
    spans = [(listing.last_uid + 1, selected.uid_next - 1)]
    async with connection.turn:
        entering = await enter(connection, wire, writable=False)
        while spans:
            first, last = spans.pop()
            asked = f"{first}:{last}" if first < last else f"{first}"
            fields = identity.FIELDS
            answer = await fetch_summaries(connection, asked, fields, listing.add)
            status = await answer
            if entering.selected.uid_validity != selected.uid_validity:
                return
            if not status.ok:
                refusal = _refusal(connection, status.text, status.code)
                if refusal.retry:
                    raise refusal
                if first < last:
                    middle = (first + last) // 2
                    spans += [(first, middle), (middle + 1, last)]


async def _identify(connection: Connection, listing: Listing, wire: bytes) -> None:
    """Read a few more headers of the messages without Message-ID and Received."""
    uids = sorted(listing.unidentified)

    def take(summary: Summary) -> None:
        if entering.selected.uid_validity == listing.uid_validity:
            listing.identify(summary)

    async with connection.turn:
        entering = await enter(connection, wire, writable=False)
        answers = [
            await fetch_summaries(
                connection,
                uid_set(uids[start : start + UIDS_AT_ONCE]),
                identity.WEAK_FIELDS,
                take,
            )
            for start in range(0, len(uids), UIDS_AT_ONCE)
        ]
    for answer in answers:
        status = await answer
        refusal = _refusal(connection, status.text, status.code)
        if not status.ok and refusal.retry:
            raise refusal
    # What was deleted in between, or is not told, keeps the key it has.
    listing.unidentified.clear()


def _refusal(connection: Connection, text: str, code: str) -> Refused:
    return Refused(
        f"The {connection.place} does not let us read this folder.",
        text,
        code=code,
    )
