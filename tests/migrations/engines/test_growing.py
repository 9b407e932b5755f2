"""Servers that are faster with more connections, and servers that do not like them."""

from __future__ import annotations

import asyncio
import re

import pytest

from purelymanage.migrations.engines.base import Outcome, Verdict
from purelymanage.migrations.engines.pipeline import growing
from tests.imap.dovecot import COMPRESSING, Dovecot, Stored
from tests.imap.proxy import Proxy
from tests.imap.scripted import Scripted
from tests.migrations.engines.conftest import NewUser
from tests.migrations.engines.copying import copy, through

ABLE = b"IMAP4rev1 SASL-IR AUTH=PLAIN"
# With no header but the one that is asked for.
MAIL = [b"Message-ID: <%d@x>\r\n\r\n" % n + b"x" * 900 for n in range(150)]


class Inbox:
    """A server of one folder that takes so many seconds to store a message.

    Who comes when it has enough connections ends the oldest one.
    """

    def __init__(self, able: bytes, seconds: float = 0, most: int = 99) -> None:
        self._able = able
        self._seconds = seconds
        self._most = most
        self._open: list[asyncio.StreamWriter] = []
        self.stored: list[bytes] = []
        self.connections = 0

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        self._open.append(writer)
        if len(self._open) > self._most:
            self._open.pop(0).transport.abort()
        try:
            await self._talk(reader, writer)
        finally:
            if writer in self._open:
                self._open.remove(writer)

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"* OK hello\r\n")
        while line := await reader.readline():
            tag, _, command = line.strip().partition(b" ")
            size = re.search(rb"\{(\d+)(\+?)\}$", command)
            if size:
                if not size[2]:
                    writer.write(b"+ go on\r\n")
                body = await reader.readexactly(int(size[1]))
                await reader.readline()
                await asyncio.sleep(self._seconds)
                self.stored.append(body)
            elif command == b"CAPABILITY":
                writer.write(b"* CAPABILITY " + self._able + b"\r\n")
            elif command.startswith(b"LIST"):
                writer.write(b'* LIST () "/" INBOX\r\n')
            elif command.startswith((b"SELECT", b"EXAMINE")):
                writer.write(b"* %d EXISTS\r\n" % len(self.stored))
                writer.write(b"* OK [UIDVALIDITY 1] so\r\n")
            elif command.startswith(b"UID FETCH"):
                writer.write(b"".join(map(self._summary, range(len(self.stored)))))
            writer.write(tag + b" OK done\r\n")
            await writer.drain()

    def _summary(self, row: int) -> bytes:
        body = self.stored[row]
        header = body[: body.index(b"\r\n\r\n") + 4]
        uid, size = row + 1, len(body)
        date = b"01-Feb-2020 03:04:05 +0000"
        return (
            b'* %d FETCH (UID %d RFC822.SIZE %d INTERNALDATE "%s" FLAGS () '
            b"BODY[HEADER.FIELDS (X)] {%d}\r\n%s)\r\n"
            % (uid, uid, size, date, len(header), header)
        )


@pytest.mark.slow
def test_a_server_that_works_at_one_message_at_a_time_gets_more_connections(
    old: Dovecot, new_user: NewUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growing, "SPAN", 0.2)
    inbox = Inbox(ABLE + b" LITERAL+", seconds=0.02)
    outcome = copied(old, new_user(old), inbox)

    assert (outcome.verdict, outcome.messages_copied) == (Verdict.COMPLETE, 150)
    assert sorted(inbox.stored) == sorted(MAIL)
    assert 1 < inbox.connections <= 4


@pytest.mark.slow
def test_a_server_that_ends_connections_when_there_are_many_gets_fewer(
    old: Dovecot, new_user: NewUser
) -> None:
    inbox = Inbox(ABLE, most=2)
    outcome = copied(old, new_user(old), inbox)

    assert (outcome.verdict, outcome.messages_copied) == (Verdict.COMPLETE, 150)
    assert sorted(inbox.stored) == sorted(MAIL)
    # Four at first, then two or one
    assert 4 < inbox.connections <= 7


@pytest.mark.parametrize("slow", [1 << 40, 0])
def test_both_lines_are_compressed_where_they_are_slow(
    new_user: NewUser, monkeypatch: pytest.MonkeyPatch, slow: int
) -> None:
    monkeypatch.setattr(growing, "SPAN", 0.02)
    monkeypatch.setattr(growing, "SLOW_LINE", slow)
    with (
        Dovecot(extra=COMPRESSING) as server,
        Proxy(server.port, delay=0.01) as here,
        Proxy(server.port, delay=0.01) as there,
    ):
        otto, anna = new_user(server), new_user(server)
        server.seed(otto, {"INBOX": map(Stored, MAIL[:60])})
        source, destination = through(here, server, otto), through(there, server, anna)
        # Only a few messages at a time, so that it takes a while
        outcome = copy(source, destination, byte_window=10_000)
        arrived = [it.body for it in server.contents(anna, "INBOX")]

    assert (outcome.verdict, sorted(arrived)) == (Verdict.COMPLETE, sorted(MAIL[:60]))
    asked = [b"COMPRESS DEFLATE" in proxy.sent for proxy in (here, there)]
    assert asked == [bool(slow)] * 2


def copied(old: Dovecot, user: str, inbox: Inbox) -> Outcome:
    old.seed(user, {"INBOX": map(Stored, MAIL)})
    with Scripted(inbox.serve) as server:
        return copy(old.account(user), server.account())
