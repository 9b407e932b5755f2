"""Entering a folder, reading from it, and putting messages into one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

from . import responses
from .connection import CommandPart, Connection, Literal
from .folders import mailbox
from .responses import Data, Status
from .tokens import Value
from .wire import Sink

_DATE = re.compile(rb"[ \d]\d-[A-Za-z]{3}-\d{4} \d\d:\d\d:\d\d [+-]\d{4}")
_KEYWORD = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+')
_SYSTEM_FLAGS = {
    flag.lower(): flag
    for flag in (b"\\Seen", b"\\Answered", b"\\Flagged", b"\\Draft", b"\\Deleted")
}
_MONTHS = [
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
]


@dataclass(slots=True)
class Selected:
    """What a server says when a folder is entered."""

    exists: int = 0
    uid_validity: int = 0
    uid_next: int = 0
    # None if the server did not say, which means that all flags can be stored.
    permanent_flags: frozenset[bytes] | None = None

    def take(self, data: Data) -> None:
        argument = data.tokens[0] if data.tokens else None
        if data.name == "EXISTS" and data.number is not None:
            self.exists = data.number
        elif data.name == "[UIDVALIDITY]":
            self.uid_validity = responses.number(argument)
        elif data.name == "[UIDNEXT]":
            self.uid_next = responses.number(argument)
        elif data.name == "[PERMANENTFLAGS]":
            text = argument if isinstance(argument, bytes) else b""
            words = text.strip(b" ()").split()
            self.permanent_flags = frozenset(word.lower() for word in words)


@dataclass(slots=True)
class Entering:
    """A folder that is being entered; more commands may be sent meanwhile."""

    selected: Selected
    answer: asyncio.Future[Status]


async def enter(connection: Connection, wire: bytes, *, writable: bool) -> Entering:
    """Send SELECT or EXAMINE. Only the first may change anything in the folder."""
    selected = Selected()
    verb = b"SELECT " if writable else b"EXAMINE "
    answer = await connection.send(verb, mailbox(wire), on_data=selected.take)
    return Entering(selected, answer)


@dataclass(frozen=True, slots=True)
class Summary:
    """What is known of a message without its text."""

    uid: int
    size: int
    received: int
    header: bytes
    # When it arrived by the clock of the server, and None if that makes no sense.
    day: date | None = None
    flags: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Message:
    uid: int
    flags: tuple[bytes, ...]
    # As the server wrote it, empty if it makes no sense.
    date: bytes
    # None if the server did not give one, or streamed it.
    body: bytes | None


OnSummary: TypeAlias = Callable[[Summary], None]
OnMessage: TypeAlias = Callable[[Message], None]


async def fetch_summaries(
    connection: Connection, uids: str, fields: Sequence[str], take: OnSummary
) -> asyncio.Future[Status]:
    """Ask for sizes, dates, flags and the named header fields of `uids`, such as `1:*`."""
    wanted = " ".join(fields)
    command = (
        f"UID FETCH {uids} (UID RFC822.SIZE INTERNALDATE FLAGS "
        f"BODY.PEEK[HEADER.FIELDS ({wanted})])"
    )
    return await connection.send(command.encode("ascii"), on_data=summaries_taker(take))


async def fetch_flags(
    connection: Connection, take: Callable[[int, frozenset[bytes]], None]
) -> asyncio.Future[Status]:
    """Ask for the flags of everything in the folder that we are in."""

    def on_data(data: Data) -> None:
        if data.name != "FETCH":
            return
        items = responses.attributes(data)
        flags = items.get("FLAGS")
        if "UID" in items and isinstance(flags, list):
            words = frozenset(word for word in flags if isinstance(word, bytes))
            take(responses.uid(items["UID"]), words)

    return await connection.send(b"UID FETCH 1:* (UID FLAGS)", on_data=on_data)


async def store_flags(
    connection: Connection, uids: str, flags: Iterable[bytes], *, add: bool
) -> asyncio.Future[Status]:
    """Set or take away flags of messages in the folder that we are in."""
    sign = b"+" if add else b"-"
    words = b" ".join(sorted(flags))
    return await connection.send(
        b"UID STORE %s %sFLAGS.SILENT (%s)" % (uids.encode("ascii"), sign, words)
    )


async def fetch_messages(
    connection: Connection, uids: str, take: OnMessage
) -> asyncio.Future[Status]:
    """Ask for whole messages, without marking them as read."""
    return await connection.send(
        f"UID FETCH {uids} (UID FLAGS INTERNALDATE BODY.PEEK[])".encode("ascii"),
        on_data=messages_taker(take, with_body=True),
    )


async def fetch_envelope(
    connection: Connection, uid: int, take: OnMessage
) -> asyncio.Future[Status]:
    """Ask for what has to be known of a message before its body is streamed."""
    return await connection.send(
        f"UID FETCH {uid} (UID FLAGS INTERNALDATE)".encode("ascii"),
        on_data=messages_taker(take, with_body=False),
    )


async def stream_message(
    connection: Connection, uid: int, sink: Sink
) -> asyncio.Future[Status]:
    """Let a message run through `sink` without ever holding all of it."""
    command = f"UID FETCH {uid} (BODY.PEEK[])".encode("ascii")
    return await connection.send(command, sink=sink)


@dataclass(frozen=True, slots=True)
class Upload:
    """A message to be stored; its own body is of no interest here."""

    message: Message
    size: int
    body: bytes | AsyncIterator[bytes]


async def append(
    connection: Connection, wire: bytes, uploads: Sequence[Upload]
) -> asyncio.Future[Status]:
    """Put messages into a folder, which need not be the one we are in.

    More than one at a time need MULTIAPPEND, and then all are stored or none is.
    """
    parts: list[CommandPart] = [b"APPEND ", mailbox(wire)]
    for upload in uploads:
        options = b" "
        if upload.message.flags:
            options += b"(" + b" ".join(upload.message.flags) + b") "
        if upload.message.date:
            options += b'"' + upload.message.date + b'" '
        parts += [options, Literal(upload.size, upload.body)]
    return await connection.send(*parts)


def storable(
    flags: Iterable[bytes], permanent: frozenset[bytes] | None
) -> tuple[bytes, ...]:
    """Return the flags that a folder with these permanent flags can keep."""
    kept = []
    for flag in flags:
        system = _SYSTEM_FLAGS.get(flag.lower())
        if system is not None:
            kept.append(system)
        elif _KEYWORD.fullmatch(flag) and (
            permanent is None or b"\\*" in permanent or flag.lower() in permanent
        ):
            kept.append(flag)
    return tuple(kept)


def seconds(date: bytes) -> int:
    """Return an INTERNALDATE as seconds since 1970, and 0 if it makes no sense."""
    if not _DATE.fullmatch(date):
        return 0
    text = date.decode("ascii").strip()
    day, month, rest = text.split("-", 2)
    try:
        number = _MONTHS.index(month.lower()) + 1
        moment = datetime.strptime(f"{day} {number} {rest}", "%d %m %Y %H:%M:%S %z")
        return int(moment.timestamp())
    except (ValueError, OverflowError):
        return 0


def day(text: bytes) -> date | None:
    """Return the day of an INTERNALDATE as it is written, like SEARCH goes by it."""
    if not _DATE.fullmatch(text):
        return None
    number, month, year = text[:11].decode("ascii").strip().split("-")
    try:
        return date(int(year), _MONTHS.index(month.lower()) + 1, int(number))
    except ValueError:
        return None


def uid_set(uids: Sequence[int]) -> str:
    """Write ascending UIDs as short as IMAP allows."""
    ranges: list[str] = []
    start = previous = uids[0]
    for uid in [*uids[1:], 0]:
        if uid != previous + 1:
            ranges.append(f"{start}:{previous}" if start != previous else f"{start}")
            start = uid
        previous = uid
    return ",".join(ranges)


def summaries_taker(take: OnSummary) -> Callable[[Data], None]:
    """Return what reads summaries out of the answers to the question for them."""

    def on_data(data: Data) -> None:
        if data.name != "FETCH":
            return
        items = responses.attributes(data)
        # Flags that changed meanwhile come without the rest.
        if "UID" in items and "RFC822.SIZE" in items:
            arrived = _bytes(items.get("INTERNALDATE"))
            take(
                Summary(
                    responses.uid(items["UID"]),
                    responses.number(items["RFC822.SIZE"]),
                    seconds(arrived),
                    _bytes(_section(items)),
                    day(arrived),
                    frozenset(_words(items.get("FLAGS"))),
                )
            )

    return on_data


def messages_taker(take: OnMessage, *, with_body: bool) -> Callable[[Data], None]:
    """Return what reads messages out of the answers to the question for them."""

    def on_data(data: Data) -> None:
        if data.name != "FETCH":
            return
        items = responses.attributes(data)
        if "UID" not in items or (with_body and _section(items, default=b"?") == b"?"):
            return
        date = _bytes(items.get("INTERNALDATE"))
        body = _section(items)
        take(
            Message(
                responses.uid(items["UID"]),
                tuple(_words(items.get("FLAGS"))),
                date if _DATE.fullmatch(date) else b"",
                body if isinstance(body, bytes) else None,
            )
        )

    return on_data


def _section(items: dict[str, Value], default: Value = None) -> Value:
    """Return the value of the one BODY[…] among the items."""
    for name, value in items.items():
        if name.startswith("BODY["):
            return value
    return default


def _words(token: Value) -> list[bytes]:
    listed = token if isinstance(token, list) else []
    return [word for word in listed if isinstance(word, bytes)]


def _bytes(token: Value) -> bytes:
    return token if isinstance(token, bytes) else b""
