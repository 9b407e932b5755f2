from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from fnmatch import fnmatchcase

import pytest

from purelymanage.imap.connection import Connection, Literal
from purelymanage.imap.errors import (
    ConnectionLost,
    ImapError,
    ProtocolError,
    Refused,
)
from purelymanage.imap.folders import create_folder, list_folders
from purelymanage.imap.messages import (
    Message,
    Summary,
    enter,
    fetch_messages,
    fetch_summaries,
    storable,
    stream_message,
    uid_set,
)
from purelymanage.imap.responses import Data, attributes
from purelymanage.imap.session import connect
from purelymanage.imap.tokens import Omitted
from purelymanage.imap.wire import MAX_LITERAL
from tests.imap.scripted import Script, Scripted, answering

Talk = Callable[[Connection], Awaitable[None]]


def converse(
    script: Script, talk: Talk, *, read_timeout: float = 5, keepalive: float = 0
) -> None:
    """Connect to a server that follows `script`, and say what `talk` says."""

    async def run(server: Scripted) -> None:
        session = await connect(
            server.account(), read_timeout=read_timeout, keepalive=keepalive
        )
        try:
            async with asyncio.timeout(10):
                await talk(session.connection)
        finally:
            await session.connection.close()

    with Scripted(script) as server:
        asyncio.run(run(server))


def test_many_commands_are_answered_in_any_order() -> None:
    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"* OK hello\r\n")
        tags = [(await reader.readline()).split()[0] for _ in range(3)]
        for tag in reversed(tags):
            writer.write(tag + b" OK " + tag + b"\r\n")
        await reader.read()

    async def talk(connection: Connection) -> None:
        answers = [await connection.send(b"NOOP") for _ in range(3)]
        texts = [(await answer).text for answer in answers]
        assert texts == ["P1", "P2", "P3"]

    converse(script, talk)


@pytest.mark.parametrize(
    ("nonsense", "error"),
    [
        (b"* 1 FETCH (\r\n", ProtocolError),
        (b"P99 OK\r\n", ProtocolError),
        (b"\r\n", ProtocolError),
        (b"* " + b"x" * 1_200_000 + b"\r\n", ProtocolError),
        (b"* 1 FETCH (" + b"X {1}\r\nx" * 70 + b")\r\n", ProtocolError),
        (b"* 99999999999999999999999 EXISTS\r\n", ProtocolError),
        (b"* 9223372036854775808 EXISTS\r\n", ProtocolError),
        (b"* BYE for today\r\n", ConnectionLost),
    ],
)
def test_nonsense_ends_the_connection_and_all_its_commands(
    nonsense: bytes, error: type[ImapError]
) -> None:
    async def talk(connection: Connection) -> None:
        first = await connection.send(b"NOOP")
        second = await connection.send(b"NOOP")
        for answer in (first, second):
            with pytest.raises(error):
                await answer
        with pytest.raises(error):
            await connection.send(b"NOOP")

    converse(answering(nonsense), talk)


def test_a_silent_server_is_given_up() -> None:
    async def talk(connection: Connection) -> None:
        with pytest.raises(ConnectionLost, match=r"said nothing for 0\.2 seconds"):
            await connection.run(b"NOOP")

    converse(answering(), talk, read_timeout=0.2)


def test_an_idle_connection_is_kept_alive() -> None:
    heard = asyncio.Event()

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"* OK hello\r\n")
        assert (await reader.readline()).endswith(b" NOOP\r\n")
        writer.write(b"* 3 EXISTS\r\nP1 OK\r\n")
        heard.set()
        await reader.read()

    async def talk(connection: Connection) -> None:
        while not heard.is_set():
            await asyncio.sleep(0.02)

    converse(script, talk, read_timeout=0.4, keepalive=0.1)


def test_a_literal_that_is_refused_is_not_sent() -> None:
    async def talk(connection: Connection) -> None:
        with pytest.raises(Refused) as caught:
            await connection.run(b"APPEND INBOX ", Literal(9, b"a message"))
        assert caught.value.code == "TOOBIG"
        assert caught.value.technical == "Not here"
        # And the line is in a state to go on
        await connection.run(b"NOOP")

    converse(answering(b"TAG NO [TOOBIG] Not here\r\n", b"TAG OK\r\n"), talk)


def test_a_literal_too_large_to_hold_is_dropped_and_streamed_on_request() -> None:
    size = MAX_LITERAL + 5
    answer = b"* 1 FETCH (UID 4 BODY[] {%d}\r\n%s)\r\nTAG OK\r\n" % (
        size,
        b"x" * size,
    )

    class Sink:
        announced = taken = 0
        ended = False

        async def begin(self, size: int) -> None:
            self.announced = size

        async def write(self, piece: bytes) -> None:
            assert len(piece) <= 256 * 1024
            self.taken += len(piece)

        async def end(self) -> None:
            self.ended = True

    async def talk(connection: Connection) -> None:
        found: list[Message] = []
        await (await fetch_messages(connection, "4", found.append))
        assert [message.body for message in found] == [None]

        sink = Sink()
        await (await stream_message(connection, 4, sink))
        assert (sink.announced, sink.taken, sink.ended) == (size, size, True)

    converse(answering(answer, answer), talk)


def test_a_response_of_many_literals_is_not_held_altogether() -> None:
    size = MAX_LITERAL // 2
    answer = b"* 1 FETCH (UID 4 BODY[] {%d}\r\n%s" % (size, b"x" * size)
    answer += b" X {%d}\r\n%s)\r\nTAG OK\r\n" % (size + 1, b"y" * (size + 1))

    async def talk(connection: Connection) -> None:
        seen: list[Data] = []
        await connection.run(b"UID FETCH 4 (BODY[] X)", on_data=seen.append)
        items = attributes(seen[0])
        assert items["BODY[]"] == b"x" * size
        assert items["X"] == Omitted(size + 1)

    converse(answering(answer), talk)


@pytest.mark.parametrize(
    "item",
    [b"UID 0", b"UID 4294967296", b"UID NIL", b"UID 9 RFC822.SIZE 9223372036854775808"],
)
def test_numbers_that_no_message_has_end_the_connection(item: bytes) -> None:
    answer = b"* 1 FETCH (RFC822.SIZE 5 %s)\r\nTAG OK\r\n" % item

    async def talk(connection: Connection) -> None:
        found: list[Summary] = []
        with pytest.raises(ProtocolError):
            await (await fetch_summaries(connection, "1:*", ("A",), found.append))
        assert found == []

    converse(answering(answer), talk)


def test_a_mistake_of_ours_about_an_answer_leaves_nobody_waiting() -> None:
    def take(data: Data) -> None:
        raise LookupError

    async def talk(connection: Connection) -> None:
        with pytest.raises(ProtocolError):
            await connection.run(b"NOOP", on_data=take)

    converse(answering(b"* 1 EXISTS\r\nTAG OK\r\n"), talk)


@pytest.mark.parametrize("code", [b"UIDVALIDITY", b"UIDNEXT", b"UIDVALIDITY x"])
def test_a_folder_is_not_entered_by_half_a_code(code: bytes) -> None:
    async def talk(connection: Connection) -> None:
        entering = await enter(connection, b"INBOX", writable=False)
        with pytest.raises(ProtocolError):
            await entering.answer

    converse(answering(b"* OK [%s] ok\r\nTAG OK\r\n" % code), talk)


def test_what_a_server_adds_unasked_is_left_aside() -> None:
    answer = (
        b"* 7 EXISTS\r\n"
        b"* 2 FETCH (FLAGS (\\Seen))\r\n"
        b'* 3 FETCH (RFC822.SIZE 5 INTERNALDATE "01-Jan-1970 01:00:07 +0100" UID 9 '
        b'BODY[HEADER.FIELDS ("MESSAGE-ID" RECEIVED)] {3}\r\na:b FLAGS ())\r\n'
        b"* 4 EXPUNGE\r\n"
        b"TAG OK\r\n"
    )

    async def talk(connection: Connection) -> None:
        found: list[Summary] = []
        fields = ("MESSAGE-ID", "RECEIVED")
        await (await fetch_summaries(connection, "1:*", fields, found.append))
        assert found == [Summary(9, 5, 7, b"a:b", date(1970, 1, 1))]

    converse(answering(answer), talk)


def test_entering_a_folder_tells_what_is_needed_to_know_it_again() -> None:
    answer = (
        b"* FLAGS (\\Seen)\r\n* 12 EXISTS\r\n* OK [UIDVALIDITY 77] ok\r\n"
        b"* OK [UIDNEXT 90] ok\r\n* OK [PERMANENTFLAGS (\\Seen $A)] ok\r\nTAG OK\r\n"
    )

    async def talk(connection: Connection) -> None:
        entering = await enter(connection, b"IN[BOX", writable=False)
        await entering.answer
        selected = entering.selected
        assert (selected.exists, selected.uid_validity) == (12, 77)
        assert selected.uid_next == 90
        assert storable([b"\\seen", b"\\Recent", b"$a", b"$b", b"b(d"],
                        selected.permanent_flags) == (b"\\Seen", b"$a")  # fmt: skip

    converse(answering(answer), talk)


def test_folders_of_others_are_told_from_our_own() -> None:
    def answer(line: bytes) -> bytes:
        if b"NAMESPACE" in line:
            return b'* NAMESPACE (("" "/")) (("~" "/")) (("#shared/" "/"))\r\n'
        if b"LSUB" in line:
            return b'* LSUB () "/" Work\r\n'
        return (
            b'* LIST (\\HasNoChildren) "/" inbox\r\n* LIST () "/" {4}\r\nWork\r\n'
            b'* LIST () "/" "#shared/all"\r\n* LIST (\\Noselect) "/" "~paul"\r\n'
            b'* LIST (\\Sent) NIL "Ge&AOQ-"\r\n'
        )

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"* OK [CAPABILITY IMAP4rev1 NAMESPACE] hello\r\n")
        while line := await reader.readline():
            writer.write(answer(line) + line.split()[0] + b" OK\r\n")

    async def talk(connection: Connection) -> None:
        folders = {
            folder.name: folder for folder in (await list_folders(connection)).own()
        }
        assert list(folders) == ["INBOX", "Work", "Geä"]
        assert [name for name, f in folders.items() if f.subscribed] == ["Work"]
        assert folders["Geä"].attributes == {"\\SENT"}

    converse(script, talk)


def test_a_folder_is_created_with_what_is_above_it() -> None:
    folders: list[bytes] = [b"INBOX"]

    def create(name: bytes) -> bytes:
        if b"*" in name or name.lower() in {it.lower() for it in folders}:
            return b" NO\r\n"
        parent = name.rpartition(b"/")[0]
        if name in folders or (parent and parent not in folders):
            return b" NO\r\n"
        folders.append(name)
        return b" OK\r\n"

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"* OK hello\r\n")
        while line := await reader.readline():
            tag, verb, *_ = line.split()
            name = line.split(b'"')[-2]
            if verb == b"CREATE":
                writer.write(tag + create(name))
            else:
                wanted = name.lower()
                found = [it for it in folders if fnmatchcase(it.lower(), wanted)]
                listed = b"".join(b'* LIST () "/" "%s"\r\n' % it for it in found)
                writer.write(listed + tag + b" OK\r\n")

    async def talk(connection: Connection) -> None:
        await create_folder(connection, b"a/b/c", (b"a", b"a/b"))
        assert folders == [b"INBOX", b"a", b"a/b", b"a/b/c"]
        # A second time does no harm
        await create_folder(connection, b"a/b/c", (b"a", b"a/b"))
        # Nor does one that differs in a way that is nothing to the server
        await create_folder(connection, b"A/b/C")
        assert folders == [b"INBOX", b"a", b"a/b", b"a/b/c"]
        with pytest.raises(Refused, match="refused to create the folder x/y"):
            await create_folder(connection, b"x/y")
        # Not even where one like it exists
        with pytest.raises(Refused):
            await create_folder(connection, b"a/b/*")

    converse(script, talk)


def test_data_without_a_command_goes_nowhere() -> None:
    seen: list[Data] = []

    async def talk(connection: Connection) -> None:
        await connection.run(b"NOOP", on_data=seen.append)

    converse(answering(b"TAG OK\r\n", greeting=b"* OK hi\r\n* 1 EXISTS\r\n"), talk)
    assert [data.name for data in seen] in ([], ["EXISTS"])


@pytest.mark.parametrize(
    ("uids", "text"),
    [([5], "5"), ([1, 2, 3], "1:3"), ([1, 3, 4, 9], "1,3:4,9")],
)
def test_uids_are_written_briefly(uids: list[int], text: str) -> None:
    assert uid_set(uids) == text
