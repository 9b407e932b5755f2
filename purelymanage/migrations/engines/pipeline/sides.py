"""The connections to both sides: opened together, closed together."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from purelymanage.imap.account import Account
from purelymanage.imap.connection import Connection
from purelymanage.imap.errors import ConnectionLost, ImapError
from purelymanage.imap.folders import Folder, FolderList, list_folders
from purelymanage.imap.names import Namespace
from purelymanage.imap.session import log_in
from purelymanage.migrations.engines.base import CopyOptions, refuse_same

from .tally import Tally


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
        self._from = replace(source, side="source")
        self._to = destination and replace(destination, side="destination")
        self._options = options
        self._tally = tally
        # The first of each is there for everything, further ones for messages alone.
        self._sources: list[Connection] = []
        self.destinations: list[Connection] = []

    @property
    def source(self) -> Connection:
        if not self._sources:
            raise ConnectionLost("The connection to the source was lost.")
        return self._sources[0]

    @property
    def destination(self) -> Connection | None:
        return self.destinations[0] if self.destinations else None

    def refuse_same(self) -> None:
        if self._to is not None:
            refuse_same(self._from, self._to)

    async def connect(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._log_in(self._from))
            if self._to is not None:
                group.create_task(self._log_in(self._to))

    async def join_source(self) -> Connection | None:
        """Open one more connection; None if the server does not like it."""
        return await self._join(self._from)

    async def join_destination(self) -> Connection | None:
        return await self._join(self._to) if self._to is not None else None

    async def close(self, *, politely: bool) -> None:
        connections = [*self._sources, *self.destinations]
        self._sources, self.destinations = [], []
        await asyncio.gather(*(c.close(politely=politely) for c in connections))

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

    async def _log_in(self, account: Account) -> Connection:
        session = await log_in(
            account,
            connect_timeout=self._options.connect_timeout,
            read_timeout=self._options.read_timeout,
            keepalive=self._options.keepalive,
        )
        # Known at once, so that it is closed whatever happens to its siblings.
        known = self._sources if account is self._from else self.destinations
        known.append(session.connection)
        return session.connection

    async def _join(self, account: Account) -> Connection | None:
        try:
            return await self._log_in(account)
        except ImapError as exc:
            self._tally.note(f"No further connection: {exc.message}")
            return None


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
