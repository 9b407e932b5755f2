"""Comparing two mailboxes message by message, by what is in them.

A copy goes by what messages say of themselves. This looks at every byte of both sides
instead, and so takes as long as a first copy.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from hashlib import blake2b
from typing import Any

from purelymanage.figures import thin
from purelymanage.imap.account import Account
from purelymanage.imap.connection import Connection
from purelymanage.imap.folders import list_folders
from purelymanage.imap.messages import (
    Message,
    enter,
    fetch_messages,
    stream_message,
    uid_set,
)
from purelymanage.imap.session import log_in
from purelymanage.migrations.engines.base import CopyOptions, refuse_same

from .letters import find_homes
from .listing import Listing
from .mapping import Route, plan_routes
from .matching import find_pairs
from .reading import Reading, read_folders

CHUNK_BYTES = 1024 * 1024
CHUNK_MESSAGES = 200
STREAM_FROM = 8 * 1024 * 1024
LENGTH = 16

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Difference:
    """A message of the source, or a whole folder (uid 0), that is not there equally."""

    folder: str
    destination: str
    uid: int
    size: int
    reason: str


@dataclass(slots=True)
class Comparison:
    messages: int = 0
    equal: int = 0
    # At the destination and not at the source, which is nothing wrong.
    only_there: int = 0
    differences: list[Difference] = field(default_factory=list)
    seconds: float = 0

    @property
    def is_equal(self) -> bool:
        return not self.differences

    def as_dict(self) -> dict[str, Any]:
        """Return what `copy_mailbox --verify --json` prints."""
        return {
            "verdict": "equal" if self.is_equal else "different",
            "messages": self.messages,
            "equal": self.equal,
            "only_at_destination": self.only_there,
            "seconds": round(self.seconds, 3),
            "differences": [asdict(it) for it in self.differences],
        }


def verify(
    source: Account, destination: Account, options: CopyOptions, tell: Tell
) -> Comparison:
    """Compare both sides and change neither; raises an ImapError if it cannot."""
    refuse_same(source, destination)
    began = time.monotonic()
    found = asyncio.run(_verify(source, destination, options, tell))
    found.seconds = time.monotonic() - began
    return found


async def _verify(
    source: Account, destination: Account, options: CopyOptions, tell: Tell
) -> Comparison:
    found = Comparison()
    open_: list[Connection] = []
    try:
        for account, side in ((source, "source"), (destination, "destination")):
            session = await log_in(
                replace(account, side=side),
                connect_timeout=options.connect_timeout,
                read_timeout=options.read_timeout,
                keepalive=options.keepalive,
            )
            open_.append(session.connection)
        here, there = open_
        gmail = here.has("X-GM-EXT-1")
        folders, folders_there = await list_folders(here), await list_folders(there)
        planned = plan_routes(folders, folders_there, options, gmail=gmail)
        homes = await find_homes(there, folders_there, planned)
        for wire, routes in _by_wire(homes).items():
            await _compare(here, there, wire, routes, options, found)
            tell(f"{routes[0].name}: {thin(found.equal)} equal so far")
    finally:
        await asyncio.gather(*(it.close(politely=True) for it in open_))
    return found


def _by_wire(all_: list[Route]) -> dict[bytes, list[Route]]:
    """Return which folders of the source lie in each of the destination."""
    by_wire: dict[bytes, list[Route]] = {}
    for route in all_:
        by_wire.setdefault(route.wire, []).append(route)
    return by_wire


@dataclass(slots=True)
class _Folder:
    """One folder of one side, with a hash of each message it holds."""

    listing: Listing
    hashes: list[bytes] = field(default_factory=list)


async def _compare(
    here: Connection,
    there: Connection,
    wire: bytes,
    routes: list[Route],
    options: CopyOptions,
    found: Comparison,
) -> None:
    wires = [route.source.wire for route in routes]
    exists = routes[0].exists
    reading = [_read(here, wires, options)]
    if exists:
        reading.append(_read(there, [wire], CopyOptions()))
    sides = await asyncio.gather(*reading)
    spare = Counter(sides[1][wire].hashes) if exists and wire in sides[1] else Counter()
    arrived = sides[1].get(wire) if exists else None
    for route in routes:
        part = sides[0].get(route.source.wire)
        if part is None:
            found.differences.append(_whole(route, "It cannot be read at the source."))
            continue
        if arrived is None:
            reason = "It is not at the destination, or cannot be read there."
            found.differences.append(_whole(route, reason))
            found.messages += len(part.listing)
            continue
        known = dict(find_pairs([part.listing], arrived.listing)[0])
        for row, digest in enumerate(part.hashes):
            found.messages += 1
            if digest and spare[digest]:
                spare[digest] -= 1
                found.equal += 1
            else:
                reason = _reason(part, row, known, arrived)
                found.differences.append(_one(route, part.listing, row, reason))
    found.only_there += spare.total()


def _reason(part: _Folder, row: int, known: dict[int, int], there: _Folder) -> str:
    if not part.hashes[row]:
        return "The source does not hand it out."
    match = known.get(row)
    if match is None:
        return "It is not at the destination."
    sizes = thin(part.listing.sizes[row]), thin(there.listing.sizes[match])
    return (
        f"It differs: {sizes[0]} bytes at the source, {sizes[1]} at the destination "
        f"as message {there.listing.uids[match]}."
    )


def _whole(route: Route, reason: str) -> Difference:
    return Difference(route.source.name, route.name, 0, 0, reason)


def _one(route: Route, listing: Listing, row: int, reason: str) -> Difference:
    uid, size = listing.uids[row], listing.sizes[row]
    return Difference(route.source.name, route.name, uid, size, reason)


async def _read(
    connection: Connection, wires: list[bytes], options: CopyOptions
) -> dict[bytes, _Folder]:
    """Read folders and hash what is in them; those that refuse are left out."""
    folders: dict[bytes, _Folder] = {}

    def take(reading: Reading) -> None:
        if reading.refusal is None:
            folders[reading.wire] = _Folder(reading.listing)

    await read_folders(
        connection,
        [(wire, None) for wire in wires],
        writable=False,
        on_read=take,
        since=options.since,
    )
    for wire, folder in folders.items():
        folder.hashes = await _hash(connection, wire, folder.listing)
    return folders


async def _hash(connection: Connection, wire: bytes, listing: Listing) -> list[bytes]:
    """Return a hash of each message, empty for what is not handed out."""
    hashes = [b""] * len(listing)
    entering = await enter(connection, wire, writable=False)
    connection.expect_ok(await entering.answer, [b"EXAMINE"])

    def take(message: Message) -> None:
        row = listing.row(message.uid)
        if message.body is not None and row < len(listing):
            hashes[row] = blake2b(message.body, digest_size=LENGTH).digest()

    for rows in _cut(listing):
        uids = [listing.uids[row] for row in rows]
        if len(rows) == 1 and listing.sizes[rows[0]] >= STREAM_FROM:
            sink = _Hasher()
            await (await stream_message(connection, uids[0], sink))
            hashes[rows[0]] = sink.digest
        else:
            await (await fetch_messages(connection, uid_set(uids), take))
    return hashes


def _cut(listing: Listing) -> list[list[int]]:
    chunks: list[list[int]] = []
    room = 0
    for row, size in enumerate(listing.sizes):
        if not chunks or size > room or len(chunks[-1]) >= CHUNK_MESSAGES:
            chunks.append([])
            room = CHUNK_BYTES
        chunks[-1].append(row)
        room -= size
    return chunks


class _Hasher:
    """Takes a large message piece by piece."""

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=LENGTH)
        self.digest = b""

    async def begin(self, size: int) -> None:
        """Nothing has to be known of it."""

    async def write(self, piece: bytes) -> None:
        self._hash.update(piece)

    async def end(self) -> None:
        self.digest = self._hash.digest()
