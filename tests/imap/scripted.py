"""A server that says what a test tells it to, however wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from purelymanage.imap.account import Account, Security
from tests.imap.serving import InThread

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Scripted(InThread):
    script: Script
    limit = 1 << 24
    heard: list[bytes] = field(default_factory=list, init=False)

    def account(self, password: str = "secret") -> Account:
        return Account(
            host="127.0.0.1",
            port=self.port,
            user="otto",
            password=password,
            security=Security.CLEAR,
        )

    async def talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self.script(reader, writer)


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
