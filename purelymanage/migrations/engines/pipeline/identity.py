"""By what a message is recognised on both sides.

Message-ID and the Received lines, normalised the way imapsync does it, so that either
tool can go on where the other one stopped. Servers fold, pad and re-encode headers;
none of that may count.
"""

from __future__ import annotations

from hashlib import blake2b

FIELDS = ("MESSAGE-ID", "RECEIVED")
# For messages that have neither.
WEAK_FIELDS = ("DATE", "FROM", "TO", "SUBJECT")
LENGTH = 16

_STRONG, _WEAK = b"S", b"W"

_EIGHT_BIT = bytes(byte if byte < 0x80 else ord("X") for byte in range(256))


def strong_key(header: bytes) -> bytes | None:
    """Return the key of a message, or None if its header has too little to go by."""
    lines = _lines(header)
    return _STRONG + _digest(*lines) if lines else None


def weak_key(header: bytes) -> bytes:
    """Return a key made of what even the poorest message has, which may be nothing.

    Many may share it, as such messages often are one program's, with the same subject
    every night. So size and date are looked at as well, by whoever compares.
    """
    return _WEAK + _digest(*_lines(header))


def is_weak(key: bytes) -> bool:
    """Say whether there was little to make this key of."""
    return key.startswith(_WEAK)


def _lines(header: bytes) -> list[bytes]:
    unfolded: list[bytes] = []
    for line in header.splitlines():
        if line[:1] in (b" ", b"\t") and unfolded:
            unfolded[-1] += b" " + line
        elif line:
            unfolded.append(line)
    found = []
    for line in unfolded:
        name, colon, value = line.translate(_EIGHT_BIT).partition(b":")
        words = value.split()
        if colon and words:
            found.append((name.strip() + b": " + b" ".join(words)).upper())
    return sorted(found)


def _digest(*pieces: bytes) -> bytes:
    return blake2b(b"\n".join(pieces), digest_size=LENGTH - 1).digest()
