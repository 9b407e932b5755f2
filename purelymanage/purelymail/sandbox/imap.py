"""IMAP servers that take TLS and clear text on the same port, run in one thread."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
from asyncio import StreamReader, StreamReaderProtocol, StreamWriter
from collections.abc import Iterable
from contextlib import AsyncExitStack, closing
from typing import Any

from proxyprotocol.sock import SocketInfoLocal
from pymap.context import connection_exit
from pymap.imap import IMAPConnection
from pymap.imap.state import ConnectionState

from purelymanage.purelymail.sandbox.imap_login import Config, Login, Provider
from purelymanage.purelymail.sandbox.mail_backend import output
from purelymanage.purelymail.sandbox.mail_store import Mail, MailStore

logger = logging.getLogger(__name__)

# A TLS client speaks first, an IMAP client waits to be greeted: this long.
PATIENCE = 0.3
TLS_HANDSHAKE = b"\x16"
# What is read ahead, and the longest command line.
READ_LIMIT = 2**20
WRITE_LIMIT = 2**18
BACKLOG = 128
# How long connections that were hung up may take to notice, in seconds.
FAREWELL = 4.0


class ImapServers:
    """Serves any number of providers, each on its own port."""

    def __init__(self, context: ssl.SSLContext, *, host: str = "127.0.0.1") -> None:
        self._context = context
        self._host = host
        self._listeners: list[tuple[socket.socket, Provider]] = []
        self._loop = asyncio.new_event_loop()
        self._talks: dict[asyncio.Task[None], socket.socket] = {}
        # Held while everybody is thrown out: who comes meanwhile waits outside.
        self._door = asyncio.Lock()
        self._thread = threading.Thread(
            target=self._run, name="sandbox-imap", daemon=True
        )

    def add(self, provider: Provider, port: int = 0) -> int:
        """Listen for a provider, before the start; return the port."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.create_server(
            (self._host, port), family=family, backlog=BACKLOG
        )
        listener.setblocking(False)  # noqa: FBT003  # has no name for it
        self._listeners.append((listener, provider))
        return int(listener.getsockname()[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if not self._thread.is_alive():
            self._close()
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)

    def receive(self, provider: Provider, owners: Iterable[str], mail: Mail) -> None:
        """Put a message into the inboxes of these owners."""
        posting = self._receive(provider, list(owners), mail)
        asyncio.run_coroutine_threadsafe(posting, self._loop).result(timeout=10)

    def clear(self) -> None:
        """Throw everybody out and forget all mail."""
        asyncio.run_coroutine_threadsafe(self._clear(), self._loop).result(timeout=10)

    def hang_up(self) -> None:
        """End all connections, as a restart of the servers would."""
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result(timeout=10)

    async def _receive(self, provider: Provider, owners: list[str], mail: Mail) -> None:
        for owner in owners:
            inbox = await provider.mail_of(owner).get_mailbox("INBOX")
            inbox.receive(mail)

    async def _clear(self) -> None:
        async with self._door:
            await self._throw_out()
            for _, provider in self._listeners:
                provider.clear()

    async def _hang_up(self) -> None:
        async with self._door:
            await self._throw_out()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        doors = [self._loop.create_task(self._accept(*it)) for it in self._listeners]
        try:
            self._loop.run_forever()
        finally:
            for door in doors:
                door.cancel()
            self._loop.run_until_complete(
                asyncio.gather(*doors, return_exceptions=True)
            )
            self._loop.run_until_complete(self._throw_out())
            self._close()

    def _close(self) -> None:
        for listener, provider in self._listeners:
            listener.close()
            provider.store.close()
        self._loop.close()

    async def _throw_out(self) -> None:
        """End all talks by the end of their input, as if the clients had left.

        Cancelling them, which throws an error into the dozen coroutines of pymap, has
        crashed Python 3.11.7; so that is left to those that do not end otherwise.
        """
        for client in self._talks.values():
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        if not self._talks:
            return
        _, left = await asyncio.wait(list(self._talks), timeout=FAREWELL)
        if left:
            logger.warning("%d IMAP connections had to be broken off", len(left))
            for talk in left:
                talk.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _accept(self, listener: socket.socket, provider: Provider) -> None:
        while True:
            client, _ = await self._loop.sock_accept(listener)
            async with self._door:
                talk = self._loop.create_task(self._talk(client, provider))
            self._talks[talk] = client
            talk.add_done_callback(self._talks.pop)

    async def _talk(self, client: socket.socket, provider: Provider) -> None:
        client.setblocking(False)  # noqa: FBT003  # has no name for it
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            secure = await _speaks_tls(client)
            reader, writer = await self._open(client, secure=secure)
        except (OSError, ssl.SSLError):
            client.close()
            return
        try:
            # Nobody who left before the greeting: pymap wants to know its peer.
            if writer.get_extra_info("peername"):
                await self._serve(provider, reader, writer, secure=secure)
        except (OSError, EOFError, asyncio.IncompleteReadError):
            logger.debug("an IMAP client of the sandbox went away")
        except Exception:
            logger.exception("an IMAP connection of the sandbox failed")
        finally:
            writer.transport.abort()

    async def _open(
        self, client: socket.socket, *, secure: bool
    ) -> tuple[StreamReader, StreamWriter]:
        opened: asyncio.Future[StreamWriter] = self._loop.create_future()
        reader = StreamReader(limit=READ_LIMIT)
        # Only with a callback does the protocol act as a server in STARTTLS.
        protocol = StreamReaderProtocol(
            reader, lambda _, writer: opened.set_result(writer)
        )
        await self._loop.connect_accepted_socket(
            lambda: protocol, client, ssl=self._context if secure else None
        )
        return reader, await opened

    async def _serve(
        self,
        provider: Provider,
        reader: StreamReader,
        writer: StreamWriter,
        *,
        secure: bool,
    ) -> None:
        config = Config(provider, secure=secure, ssl_context=self._context)
        gathered = GatheringWriter(writer, provider.store)
        output.set(gathered)
        config.apply_context()
        connection: Any = IMAPConnection(
            config.commands,
            config,
            reader,
            gathered,  # type: ignore[arg-type]  # has what of a writer is used
            SocketInfoLocal(writer),
        )
        state = ConnectionState(Login(provider, config), config)
        async with AsyncExitStack() as stack:
            connection_exit.set(stack)
            stack.enter_context(closing(connection))
            await connection.run(state)


class GatheringWriter:
    """Sends what pymap writes in a dozen pieces per message as one.

    Otherwise each piece would become a TLS record and a system call of its own.
    """

    def __init__(self, writer: StreamWriter, store: MailStore) -> None:
        self._writer = writer
        self._store = store
        self._pieces: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        self._pieces.append(data)
        self._size += len(data)

    async def drain(self) -> None:
        size, self._size = self._size, 0
        if size:
            self._writer.write(b"".join(self._pieces))
            self._pieces.clear()
        await self._writer.drain()
        if self._store.rate:
            await asyncio.sleep(size / self._store.rate)

    async def drain_if_full(self) -> None:
        if self._size >= WRITE_LIMIT:
            await self.drain()

    async def start_tls(self, context: ssl.SSLContext) -> None:
        await self._writer.start_tls(context)

    def close(self) -> None:
        self._writer.close()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._writer.get_extra_info(name, default)


async def _speaks_tls(client: socket.socket) -> bool:
    """Look at the first byte without taking it."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(client, readable.set)
    try:
        await asyncio.wait_for(readable.wait(), PATIENCE)
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(client)
    with contextlib.suppress(BlockingIOError):
        return client.recv(1, socket.MSG_PEEK) == TLS_HANDSHAKE
    return False
