"""The three kinds of response: data, status, and the wish for more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from .errors import ProtocolError
from .tokens import Omitted, Parts, Value, tokenize

_STATES = {b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"}
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
MAX_TEXT = 300
# What fits into eight bytes with a sign, and is more than any mailbox has.
_TOO_LARGE = 1 << 63


@dataclass(frozen=True, slots=True)
class Status:
    """OK, NO, BAD, BYE or PREAUTH; `tag` is empty when it answers no command."""

    tag: bytes
    state: str
    code: str
    argument: bytes
    text: str

    @property
    def ok(self) -> bool:
        return self.state == "OK"


@dataclass(frozen=True, slots=True)
class Data:
    """Such as `* 12 FETCH (…)`: name FETCH, number 12, and the tokens after it."""

    name: str
    number: int | None
    tokens: list[Value]


@dataclass(frozen=True, slots=True)
class Continue:
    text: bytes


Response: TypeAlias = Status | Data | Continue


def parse(parts: Parts) -> Response:
    line = parts[0]
    if isinstance(line, Omitted):
        raise ProtocolError("The server sent a response without text.")
    if line.startswith(b"+"):
        return Continue(line[1:].strip())
    tag, _, rest = line.partition(b" ")
    word, _, tail = rest.partition(b" ")
    name = word.upper()
    if tag != b"*":
        if not tag or name not in _STATES:
            raise ProtocolError("The server sent a line that is no response.")
        return _status(tag, name, tail)
    if name in _STATES:
        return _status(b"", name, tail)
    if word.isdigit():
        kind, _, _ = tail.partition(b" ")
        start = len(tag) + len(word) + len(kind) + 3
        return Data(_name(kind), _number(word), tokenize(parts, start))
    start = len(tag) + len(word) + 2
    return Data(_name(word), None, tokenize(parts, start))


def _status(tag: bytes, state: bytes, tail: bytes) -> Status:
    code, argument = "", b""
    if tail.startswith(b"["):
        inside, closed, after = tail[1:].partition(b"]")
        if closed:
            word, _, argument = inside.partition(b" ")
            code, tail = _name(word), after.strip()
    return Status(tag, state.decode(), code, argument, readable(tail))


def readable(text: bytes) -> str:
    """Return the server's words in a form that may be shown and stored."""
    shown = _UNPRINTABLE.sub(" ", text[: MAX_TEXT * 4].decode("utf-8", "replace"))
    return shown.strip()[:MAX_TEXT]


def _name(word: bytes) -> str:
    return word.upper().decode("ascii", "replace")


def _number(word: bytes) -> int:
    found = int(word) if len(word) <= 20 else _TOO_LARGE
    if found >= _TOO_LARGE:
        raise ProtocolError("The server sent a number that is too large.")
    return found


def number(token: Value) -> int:
    """Return a token that has to be a number."""
    if isinstance(token, bytes) and token.isdigit():
        return _number(token)
    raise ProtocolError("The server sent something else where a number belongs.")


def uid(token: Value) -> int:
    """Return a token that has to be the number of a message, which 0 never is."""
    found = number(token)
    if not 0 < found < 1 << 32:
        raise ProtocolError("The server sent no number that a message can have.")
    return found


def attributes(data: Data) -> dict[str, Value]:
    """Return the items of a FETCH response by name."""
    items = data.tokens[0] if data.tokens else None
    if not isinstance(items, list):
        raise ProtocolError("The server sent a message without its items.")
    found: dict[str, Value] = {}
    for name, value in zip(items[::2], items[1::2], strict=False):
        if not isinstance(name, bytes):
            raise ProtocolError("The server sent an item without a name.")
        found[_name(name)] = value
    return found
