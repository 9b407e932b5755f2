"""Turn the text of an IMAP response into values, without trusting its sender."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .errors import ProtocolError

# Deeper than any answer to the commands we send.
MAX_NESTING = 32


@dataclass(frozen=True, slots=True)
class Omitted:
    """Stands for a literal that was not kept: streamed elsewhere, or far too large."""

    size: int


# A response as it was read: lines without their ends, with the literals in between.
Parts: TypeAlias = Sequence[bytes | Omitted]
Value: TypeAlias = "bytes | Omitted | list[Value] | None"

_ATOM = re.compile(rb'[^\x00-\x20()"{\x7f]+')
_SECTION = re.compile(rb"(?:BODY|BINARY|RFC822)(?:\.PEEK)?\[", re.IGNORECASE)
_QUOTED = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_LITERAL = re.compile(rb"~?\{(\d{1,15})\+?\}\Z")


def literal_size(line: bytes) -> int | None:
    """Return how many bytes the end of `line` announces, if it does."""
    if not line.endswith(b"}"):
        return None
    # The digits are at the end, so nothing before them needs to be looked at.
    found = _LITERAL.search(line, max(0, len(line) - 20))
    return int(found[1]) if found else None


def tokenize(parts: Parts, start: int = 0) -> list[Value]:
    """Read `parts` from position `start` of the first line.

    Every step moves forward and fails rather than looks back, so the time is linear
    in the length whatever the server sends.
    """
    top: list[Value] = []
    stack: list[list[Value]] = [top]
    for number, part in enumerate(parts):
        if number % 2:
            stack[-1].append(part)
        elif isinstance(part, Omitted):
            raise ProtocolError("The server sent a response without text.")
        else:
            more = number + 1 < len(parts)
            _tokenize_line(part, start if number == 0 else 0, stack, more=more)
    if len(stack) != 1:
        raise ProtocolError("The server opened a list and did not close it.")
    return top


def _tokenize_line(
    line: bytes, at: int, stack: list[list[Value]], *, more: bool
) -> None:
    end = len(line)
    if more:
        # What announces the literal is not a value of its own.
        end = line.rindex(b"{")
        if line[end - 1 : end] == b"~":
            end -= 1
    while at < end:
        character = line[at : at + 1]
        if character == b" ":
            at += 1
        elif character == b"(":
            if len(stack) > MAX_NESTING:
                raise ProtocolError("The server nested its lists too deeply.")
            inner: list[Value] = []
            stack[-1].append(inner)
            stack.append(inner)
            at += 1
        elif character == b")":
            if len(stack) == 1:
                raise ProtocolError("The server closed a list it had not opened.")
            stack.pop()
            at += 1
        elif character == b'"':
            quoted = _QUOTED.match(line, at, end)
            if quoted is None:
                raise ProtocolError("The server began a text and did not end it.")
            value = quoted[1]
            stack[-1].append(_ESCAPED.sub(rb"\1", value) if b"\\" in value else value)
            at = quoted.end()
        else:
            at = _tokenize_atom(line, at, end, stack[-1])


def _tokenize_atom(line: bytes, at: int, end: int, into: list[Value]) -> int:
    section = _SECTION.match(line, at, end)
    if section is not None:
        # BODY[HEADER.FIELDS (A B)] is one name, although it holds blanks and brackets.
        closing = line.find(b"]", section.end(), end)
        if closing < 0:
            raise ProtocolError("The server began a section and did not end it.")
        rest = _ATOM.match(line, closing, end)
        stop = rest.end() if rest else closing + 1
        into.append(line[at:stop])
        return stop
    atom = _ATOM.match(line, at, end)
    if atom is None:
        raise ProtocolError("The server sent a character that may not stand there.")
    into.append(None if atom[0].upper() == b"NIL" else atom[0])
    return atom.end()
