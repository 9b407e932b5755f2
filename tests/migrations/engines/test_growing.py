"""A server that takes its time for each message, and what is tried with it."""

from __future__ import annotations

import asyncio
import re

import pytest

from purelymanage.migrations.engines.base import Verdict
from purelymanage.migrations.engines.pipeline import growing
from tests.imap.dovecot import Dovecot, Stored
from tests.imap.scripted import Scripted
from tests.migrations.engines.conftest import NewUser
from tests.migrations.engines.copying import copy

SECONDS_EACH = 0.02
ABLE = b"IMAP4rev1 LITERAL+ SASL-IR AUTH=PLAIN"


class Slow:
    """An inbox that takes a while to store a message."""

    def __init__(self) -> None:
        self.stored: list[bytes] = []
        self.connections = 0

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        writer.write(b"* OK hello\r\n")
        while line := await reader.readline():
            tag, _, command = line.strip().partition(b" ")
            size = re.search(rb"\{(\d+)\+\}$", command)
            if size:
                body = await reader.readexactly(int(size[1]))
                await reader.readline()
                await asyncio.sleep(SECONDS_EACH)
                self.stored.append(body)
            elif command == b"CAPABILITY":
                writer.write(b"* CAPABILITY " + ABLE + b"\r\n")
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
    otto, slow = new_user(old), Slow()
    # With no header but the one that is asked for
    mail = [b"Message-ID: <%d@x>\r\n\r\n" % n + b"x" * 900 for n in range(150)]
    old.seed(otto, {"INBOX": map(Stored, mail)})
    with Scripted(slow.serve) as server:
        outcome = copy(old.account(otto), server.account())

    assert (outcome.verdict, outcome.messages_copied) == (Verdict.COMPLETE, 150)
    assert sorted(slow.stored) == sorted(mail)
    assert 1 < slow.connections <= 4
