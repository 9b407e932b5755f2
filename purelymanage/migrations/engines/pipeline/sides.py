"""The connections to both sides: opened together, closed together."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import replace
from typing import TypeAlias

from purelymanage.imap.account import Account
from purelymanage.imap.connection import Connection
from purelymanage.imap.errors import ConnectionLost, ImapError
from purelymanage.imap.folders import Folder, FolderList, list_folders
from purelymanage.imap.names import Namespace
from purelymanage.imap.session import log_in
from purelymanage.migrations.engines.base import CopyOptions, refuse_same

from .tally import Tally

# One to each side.
Pair: TypeAlias = tuple[Connection, Connection]

# Seconds after a further connection in which a loss may be its fault.
SUSPICIOUS = 20.0


class Side:
    """The connections to one account.

    The first is there for everything, further ones carry messages alone.
    """

    def __init__(self, account: Account, options: CopyOptions, tally: Tally) -> None:
        self.account = account
        self._options = options
        self._tally = tally
        self.connections: list[Connection] = []
        self._compresses = False
        self._coming: set[asyncio.Task[None]] = set()
        # Open, and not at work.
        self._idle: list[Connection] = []
        # As many as the server may be expected to bear.
        self._most = options.most_connections
        self._joining = 0
        self._joined_at = -math.inf

    async def connect(self) -> Connection:
        session = await log_in(
            self.account,
            connect_timeout=self._options.connect_timeout,
            read_timeout=self._options.read_timeout,
            keepalive=self._options.keepalive,
        )
        # Known at once, so that it is closed whatever happens to its siblings.
        self.connections.append(session.connection)
        return session.connection

    def may_join(self, most: int) -> bool:
        """Say whether one more may be put to work, with `most` of them in all."""
        return bool(self._idle) or len(self.connections) < most

    async def join(self) -> Connection | None:
        """Return a connection with nothing to do; None if the server allows no more."""
        while self._coming and not self._idle:
            await asyncio.wait(self._coming, return_when=asyncio.FIRST_COMPLETED)
        return self._idle.pop(0) if self._idle else await self._open()

    async def _open(self) -> Connection | None:
        if len(self.connections) + self._joining >= self._most:
            return None
        self._joined_at = time.monotonic()
        self._joining += 1
        try:
            connection = await self.connect()
            if self._compresses:
                await connection.compress()
        except ImapError as exc:
            self._tally.note(f"No further connection: {exc.message}")
            # Nobody puts it to work, so nobody shall wait for it either.
            kept = [it for it in self.connections[1:] if it.failure is None]
            self.connections[1:] = kept
            return None
        finally:
            self._joining -= 1
        return connection

    def narrow(self) -> None:
        """Be content with fewer if it broke soon after there were more.

        Some servers answer one connection too many by closing another one.
        """
        if time.monotonic() - self._joined_at < SUSPICIOUS:
            self._most = max(1, len(self.connections) // 2)

    def join_ahead(self, count: int) -> None:
        """Open connections until there are `count` to be put to work later."""
        for _ in range(count - len(self._idle) - len(self._coming)):
            coming = asyncio.create_task(self._open_ahead())
            self._coming.add(coming)
            coming.add_done_callback(self._coming.discard)

    async def _open_ahead(self) -> None:
        connection = await self._open()
        if connection is not None:
            self._idle.append(connection)

    def rest(self) -> None:
        """Let the first connection be put to work like one that was opened ahead."""
        self._idle += self.connections[:1]

    def first(self) -> Connection:
        """Return the first connection to put it to work, so that nobody else does."""
        first = self.connections[0]
        self._idle = [it for it in self._idle if it is not first]
        return first

    @property
    def has_spare(self) -> bool:
        return bool(self._idle)

    async def opened(self) -> None:
        """Wait for what is being opened ahead."""
        while self._coming:
            await asyncio.wait(self._coming)

    @property
    def can_compress(self) -> bool:
        able = all(it.has("COMPRESS=DEFLATE") for it in self.connections)
        return able and not self._compresses

    async def compress(self) -> None:
        """Have everything compressed from here on."""
        self._compresses = True
        self._tally.note(f"The line to the {self.account.side} is slow: compressing.")
        async with asyncio.TaskGroup() as group:
            for connection in self.connections:
                group.create_task(connection.compress())

    async def close(self, *, politely: bool) -> None:
        coming = list(self._coming)
        for task in coming:
            task.cancel()
        await asyncio.gather(*coming, return_exceptions=True)
        self._coming.clear()
        self._idle.clear()
        connections, self.connections = self.connections, []
        self._compresses = False
        await asyncio.gather(*(c.close(politely=politely) for c in connections))


class Sides:
    """The source, and the destination unless a plan is made for one to be created."""

    def __init__(
        self,
        source: Account,
        destination: Account | None,
        options: CopyOptions,
        tally: Tally,
    ) -> None:
        if destination is None and not options.dry_run:
            raise ValueError("Only a plan can do without a destination.")
        self._options = options
        # How long it took to sign in.
        self.sign_in = 0.0
        self.departure = Side(replace(source, side="source"), options, tally)
        self.arrival: Side | None = None
        if destination is not None:
            there = replace(destination, side="destination")
            self.arrival = Side(there, options, tally)

    @property
    def source(self) -> Connection:
        if not self.departure.connections:
            raise ConnectionLost("The connection to the source was lost.")
        return self.departure.connections[0]

    @property
    def destination(self) -> Connection | None:
        return next(iter(self.destinations), None)

    @property
    def destinations(self) -> list[Connection]:
        return self.arrival.connections if self.arrival is not None else []

    def refuse_same(self) -> None:
        if self.arrival is not None:
            refuse_same(self.departure.account, self.arrival.account)

    async def connect(self) -> None:
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.departure.connect())
            if self.arrival is not None:
                group.create_task(self.arrival.connect())
        self.sign_in = time.monotonic() - began

    async def heard(self, patience: float) -> bool:
        """Let the destination answer, and say whether nothing is left to be heard."""
        heard = [connection.heard(patience) for connection in self.destinations]
        return all(await asyncio.gather(*heard))

    def narrow(self) -> None:
        self.departure.narrow()
        if self.arrival is not None:
            self.arrival.narrow()

    async def close(self, *, politely: bool) -> None:
        sides = [self.departure, self.arrival]
        await asyncio.gather(*(it.close(politely=politely) for it in sides if it))

    def join_ahead(self) -> None:
        """Open what will be needed where each message has to wait for leave."""
        first = self.destination
        if self.arrival is not None and first and not first.has("LITERAL+"):
            self.arrival.join_ahead(self._options.connections - 1)

    async def spare(self) -> Pair | None:
        """Open a connection more to each side; None unless both allow that."""
        if self.arrival is None:
            return None
        both = self.departure, self.arrival
        for side in both:
            side.join_ahead(1)
        for side in both:
            await side.opened()
        if not all(side.has_spare for side in both):
            return None
        # Neither has to wait, so that nothing is lost when this is broken off.
        source, destination = [await side.join() for side in both]
        return (source, destination) if source and destination else None

    def rest(self) -> None:
        """Let the first connections be put to work like others."""
        self.departure.rest()
        if self.arrival is not None:
            self.arrival.rest()

    async def list_destination(self) -> FolderList:
        """Return the folders there, of a mailbox to be created the one it will have."""
        if self.destination is not None:
            return await list_folders(self.destination)
        return folders_of_new_mailbox()

    def limit(self) -> int | None:
        """Return how large a message may be, if anybody has said so."""
        told = _append_limit(self.destination) if self.destination else None
        limits = [told, self._options.max_message_bytes]
        return min((it for it in limits if it is not None), default=None)


def folders_of_new_mailbox() -> FolderList:
    """Return what a mailbox has at PurelyMail when it has just been created."""
    special = [
        Folder(name.encode(), name, "/", frozenset({f"\\{name.upper()}"}))
        for name in ("Archive", "Drafts", "Junk", "Sent", "Trash")
    ]
    return FolderList([Folder(b"INBOX", "INBOX", "/"), *special], [Namespace("", "/")])


def _append_limit(connection: Connection) -> int | None:
    for capability in connection.capabilities:
        name, _, value = capability.partition("=")
        if name == "APPENDLIMIT" and value.isdigit():
            return int(value)
    return None
