from __future__ import annotations

import asyncio
import threading
import zlib
from dataclasses import replace

import pytest

from purelymanage.imap.account import Security
from purelymanage.imap.connection import Connection
from purelymanage.imap.errors import ConnectionLost, ImapError, ProtocolError
from purelymanage.imap.messages import (
    Message,
    Upload,
    append,
    enter,
    fetch_messages,
)
from purelymanage.imap.responses import Data
from purelymanage.imap.session import connect, log_in
from tests.imap.dovecot import Dovecot
from tests.imap.mail import message
from tests.imap.proxy import Proxy
from tests.imap.scripted import Scripted


def test_messages_go_both_ways_compressed(server: Dovecot) -> None:
    bodies = [message(number, 40_000) for number in range(20)]
    found: list[bytes | None] = []

    async def talk(port: int) -> None:
        account = replace(server.account("otto", security=Security.CLEAR), port=port)
        connection = (await log_in(account)).connection
        try:
            assert connection.has("COMPRESS=DEFLATE")
            # What was sent before is answered before
            early = await connection.send(b"NOOP")
            assert await connection.compress()
            assert early.done()
            uploads = [
                Upload(Message(0, (), b"", None), len(body), body) for body in bodies
            ]
            answers = [await append(connection, b"INBOX", [it]) for it in uploads]
            assert all([(await answer).ok for answer in answers])
            await enter(connection, b"INBOX", writable=False)
            answer = await fetch_messages(
                connection, "1:*", lambda message: found.append(message.body)
            )
            assert (await answer).ok
        finally:
            await connection.close(politely=True)

    with Proxy(server.port) as proxy:
        asyncio.run(talk(proxy.port))

    assert found == bodies
    assert len(proxy.sent) < sum(map(len, bodies)) / 4


def talk_to(*packed: bytes) -> list[Data] | ImapError:
    """Return what is heard of a server that sends this once it has agreed."""
    heard: list[Data] = []

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"* OK hello\r\n")
        await reader.readline()
        writer.write(b"P1 OK from here on\r\n")
        # Wait for the NOOP, so that what is sent counts as its answer
        await reader.read(1)
        for piece in packed:
            writer.write(piece)
            await writer.drain()

    async def talk(server: Scripted) -> None:
        connection: Connection = (await connect(server.account())).connection
        try:
            assert await connection.compress()
            await connection.run(b"NOOP", on_data=heard.append)
        finally:
            await connection.close()

    with Scripted(script) as server:
        try:
            asyncio.run(talk(server))
        except ImapError as exc:
            return exc
    return heard


def packed(data: bytes) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH)


def test_what_comes_byte_by_byte_is_understood() -> None:
    told = packed(b"P2 OK [CAPABILITY IMAP4rev1] done\r\n")
    assert talk_to(*(told[at : at + 1] for at in range(len(told)))) == []


@pytest.mark.slow
def test_a_line_that_unpacks_to_far_too_much_ends_it() -> None:
    failure = talk_to(packed(b"* " + b"x" * 200_000_000))
    assert isinstance(failure, ProtocolError)
    assert "endless line" in failure.message


def test_what_is_not_compressed_ends_it() -> None:
    failure = talk_to(b"\xff\xff\xff\xff P2 OK\r\n")
    assert isinstance(failure, ProtocolError)
    assert "cannot be unpacked" in failure.message


def test_the_end_of_what_is_compressed_is_the_end() -> None:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    whole = deflate.compress(b"* 1 EXISTS\r\n") + deflate.flush()
    assert isinstance(talk_to(whole + b"P2 OK\r\n"), ConnectionLost)


def test_who_is_broken_off_does_not_leave_it_half_done() -> None:
    asked, broken_off = threading.Event(), threading.Event()
    heard = bytearray()

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"* OK hello\r\n")
        await reader.readline()
        asked.set()
        await asyncio.to_thread(broken_off.wait, 30)
        writer.write(b"P1 OK from here on\r\n")
        inflate = zlib.decompressobj(-15)
        while b"\n" not in heard:
            heard.extend(inflate.decompress(await reader.readexactly(1)))
        writer.write(packed(b"P2 OK\r\n"))
        await reader.read()

    async def talk(server: Scripted) -> None:
        connection = (await connect(server.account())).connection
        asking = asyncio.create_task(connection.compress())
        await asyncio.to_thread(asked.wait, 30)
        asking.cancel()
        await asyncio.wait({asking})
        broken_off.set()
        await connection.run(b"NOOP")
        await connection.close()

    with Scripted(script) as server:
        asyncio.run(talk(server))
    assert heard == b"P2 NOOP\r\n"


def test_nobody_waits_for_it_once_the_connection_has_ended() -> None:
    asked = threading.Event()

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"* OK hello\r\n")
        await reader.readline()
        asked.set()
        await reader.read()

    async def talk(server: Scripted) -> None:
        connection = (await connect(server.account())).connection
        asking = asyncio.create_task(connection.compress())
        await asyncio.to_thread(asked.wait, 30)
        await connection.close()
        with pytest.raises(ConnectionLost):
            await asking
        assert len(asyncio.all_tasks()) == 1

    with Scripted(script) as server:
        asyncio.run(talk(server))


def test_a_server_that_refuses_is_spoken_to_as_before() -> None:
    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"* OK hello\r\n")
        await reader.readline()
        writer.write(b"P1 NO [COMPRESSIONACTIVE] no\r\n")
        await reader.readline()
        writer.write(b"P2 OK\r\n")
        await reader.read()

    async def talk(server: Scripted) -> None:
        connection = (await connect(server.account())).connection
        assert not await connection.compress()
        await connection.run(b"NOOP")
        await connection.close()

    with Scripted(script) as server:
        asyncio.run(talk(server))
