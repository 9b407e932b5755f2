"""A server that says what a test tells it to, however wrong."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from purelymanage.imap.account import Account, Security

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Scripted:
    script: Script
    port: int = field(default=0, init=False)
    heard: list[bytes] = field(default_factory=list, init=False)

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(5)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def account(self, password: str = "secret") -> Account:
        return Account(
            host="127.0.0.1",
            port=self.port,
            user="otto",
            password=password,
            security=Security.CLEAR,
        )

    async def _start(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", 0, limit=1 << 24
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self.script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.transport.abort()
            self._tasks.discard(task)


def answering(*answers: bytes, greeting: bytes = b"* OK hello\r\n") -> Script:
    """Greet, then answer each line with the next of `answers`; TAG stands for its tag.

    After the last one the server says nothing more.
    """

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(greeting)
        for answer in answers:
            line = await reader.readline()
            if not line:
                return
            tag = line.split(b" ")[0].strip()
            writer.write(answer.replace(b"TAG", tag))
            await writer.drain()
        await reader.read()

    return script
