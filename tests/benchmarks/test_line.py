from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from tests.benchmarks.copying import line
from tests.benchmarks.copying.line import TALK, Line

DELAY = 0.05

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def over_a_line(
    serve: Talk, talk: Talk, *, delay: float = DELAY, hidden: tuple[bytes, ...] = ()
) -> None:
    """Let `talk` speak to `serve` at the other end of a line."""

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        near = await Line(port, delay, [*hidden]).listen()
        reader, writer = await asyncio.open_connection("127.0.0.1", near)
        async with asyncio.timeout(10):
            await talk(reader, writer)
        writer.close()
        server.close()

    asyncio.run(run())


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65536):
        writer.write(piece)
    writer.close()


@pytest.mark.slow
def test_bytes_under_way_do_not_wait_for_each_other() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"first")
        await reader.readexactly(5)
        began = time.monotonic()
        for number in range(40):
            writer.write(b"%05d" % number)
            await asyncio.sleep(0.001)
        answers = [await reader.readexactly(5) for _ in range(40)]
        took = time.monotonic() - began
        assert answers == [b"%05d" % number for number in range(40)]
        # One round trip for all of them, not one for each
        assert 2 * DELAY <= took < 20 * DELAY

    over_a_line(echo, talk)


def test_connecting_takes_its_time_too() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        began = time.monotonic()
        assert await reader.readexactly(5) == b"hello"
        assert time.monotonic() - began >= 3.5 * DELAY

    over_a_line(greet, talk)


def test_a_side_that_reads_slowly_gets_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(line, "MOST_HELD", 100_000)
    body = bytes(range(256)) * 8_000

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(body)
        writer.write_eof()
        assert await reader.read(-1) == body

    over_a_line(echo, talk, delay=0.001)


def test_capabilities_are_hidden_and_messages_are_not_touched() -> None:
    mail = b"x" * TALK + b" CAPABILITY LITERAL+ in a message\r\n"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK [CAPABILITY IMAP4rev1 LITERAL+ IDLE] hello\r\n")
        await reader.readline()
        writer.write(mail)
        writer.close()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = await reader.readline()
        assert hello == b"* OK [CAPABILITY IMAP4rev1 IDLE] hello\r\n"
        writer.write(b"go on\r\n")
        assert await reader.read(-1) == mail

    over_a_line(serve, talk, delay=0, hidden=(b"LITERAL+",))
