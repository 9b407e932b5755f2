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
        self._source: Connection | None = None
        self.destinations: list[Connection] = []

    @property
    def source(self) -> Connection:
        if self._source is None:
            raise ConnectionLost("The connection to the source was lost.")
        return self._source

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
        first = self.destination
        if first is None or self._to is None or self._options.dry_run:
            return
        # Where each message has to wait for leave, several may wait at a time.
        if not first.has("LITERAL+") and not self._options.flags_only:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._options.connections - 1):
                    group.create_task(self._log_in_further(self._to))

    async def close(self, *, politely: bool) -> None:
        connections = [*self.destinations]
        if self._source is not None:
            connections.append(self._source)
        self._source, self.destinations = None, []
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

    async def _log_in(self, account: Account) -> None:
        session = await log_in(
            account,
            connect_timeout=self._options.connect_timeout,
            read_timeout=self._options.read_timeout,
            keepalive=self._options.keepalive,
        )
        # Known at once, so that it is closed whatever happens to its siblings.
        if account is self._from:
            self._source = session.connection
        else:
            self.destinations.append(session.connection)

    async def _log_in_further(self, account: Account) -> None:
        """Add a connection; a server that allows no more is content with fewer."""
        try:
            await self._log_in(account)
        except ImapError as exc:
            self._tally.note(f"No further connection: {exc.message}")


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
