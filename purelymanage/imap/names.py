"""Mailbox names: the form on the wire (modified UTF-7) and the one people read."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

_SHIFTED = re.compile(rb"&([^-]*)-")
_UNSAFE = re.compile(r"[^\x20-\x7e]+")


def encode(name: str) -> bytes:
    """Return `name` as RFC 3501 section 5.1.3 wants it."""

    def shift(found: re.Match[str]) -> str:
        # Lone surrogates may come from a broken server and go back as they came.
        raw = found[0].encode("utf-16-be", "surrogatepass")
        text = base64.b64encode(raw).decode("ascii").rstrip("=")
        return "&" + text.replace("/", ",") + "-"

    return _UNSAFE.sub(shift, name.replace("&", "&-")).encode("ascii")


def decode(wire: bytes) -> str:
    """Return the name for people; what is no modified UTF-7 is read as UTF-8."""
    if any(byte > 0x7E for byte in wire):
        return wire.decode("utf-8", "replace")
    pieces: list[str] = []
    at = 0
    for found in _SHIFTED.finditer(wire):
        pieces.append(wire[at : found.start()].decode("ascii"))
        pieces.append(_unshift(found[0], found[1]))
        at = found.end()
    pieces.append(wire[at:].decode("ascii"))
    return "".join(pieces)


def _unshift(whole: bytes, inside: bytes) -> str:
    if not inside:
        return "&"
    padded = inside.replace(b",", b"/") + b"=" * (-len(inside) % 4)
    try:
        raw = base64.b64decode(padded, validate=True)
        return raw.decode("utf-16-be")
    except (binascii.Error, UnicodeDecodeError):
        return whole.decode("ascii")


def quote(value: bytes) -> bytes | None:
    """Return a quoted string, or None where only a literal will do."""
    if len(value) > 900 or any(byte < 0x20 or byte > 0x7E for byte in value):
        return None
    return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


@dataclass(frozen=True, slots=True)
class Namespace:
    """Where folders of one kind begin, and what parts their levels."""

    prefix: str = ""
    separator: str = "/"

    def path(self, name: str) -> tuple[str, ...]:
        """Return the levels of `name` below the prefix."""
        if name.upper() == "INBOX":
            return ("INBOX",)
        inner = name.removeprefix(self.prefix)
        if not self.separator:
            return (inner,)
        levels = inner.split(self.separator)
        if levels[0].upper() == "INBOX":
            levels[0] = "INBOX"
        return tuple(levels)

    def name(self, path: tuple[str, ...]) -> str:
        """Return the name of `path` here; the reverse of `path`."""
        if path == ("INBOX",):
            return "INBOX"
        inner = self.separator.join(path) if self.separator else "_".join(path)
        below_inbox = "INBOX" + self.separator
        if path[0] == "INBOX" and self.prefix.upper() == below_inbox.upper():
            return inner
        return self.prefix + inner

    def holds(self, name: str) -> bool:
        bare = self.prefix[: -len(self.separator)] if self.separator else self.prefix
        return name.startswith(self.prefix) or (bool(bare) and name == bare)
