"""A file sealed to a passphrase, in chunks that are authenticated one by one.

The first line names the format, the second holds what the key is made from. Then come
chunks: their length, and AES-256-GCM over them. The nonce counts the chunks and says
which is the last, so that none can be left out, moved, added or cut off unnoticed; the
two lines are authenticated with each of them. The key serves for this one file alone.
"""

from __future__ import annotations

import base64
import json
import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"PURELYMANAGE BACKUP 1\n"
CHUNK = 1024 * 1024
TAG = 16
COST = 2**17  # of scrypt: 128 MB and about half a second
HIGHEST_COST = 2**20
LONGEST_HEADER = 1000


class Unreadable(Exception):
    """A backup that cannot be opened; the text is a sentence to show."""


class Writer:
    """Seals what is written; nothing is complete before `finish`."""

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        self._file = file
        salt = os.urandom(16)
        header = {"salt": base64.b64encode(salt).decode(), "n": COST, "r": 8, "p": 1}
        self._header = MAGIC + json.dumps(header).encode() + b"\n"
        self._cipher = AESGCM(_key(passphrase, salt, COST))
        self._waiting = bytearray()
        self._count = 0
        file.write(self._header)

    def write(self, data: bytes) -> None:
        self._waiting += data
        # The last chunk is marked, so one is kept back until more comes.
        while len(self._waiting) > CHUNK:
            self._put(bytes(self._waiting[:CHUNK]), is_last=False)
            del self._waiting[:CHUNK]

    def finish(self) -> None:
        self._put(bytes(self._waiting), is_last=True)
        self._waiting.clear()

    def _put(self, data: bytes, *, is_last: bool) -> None:
        nonce = _nonce(self._count, is_last=is_last)
        sealed = self._cipher.encrypt(nonce, data, self._header)
        self._file.write(struct.pack(">I", len(sealed)) + sealed)
        self._count += 1


def read(file: BinaryIO, passphrase: str) -> Iterator[bytes]:
    """Yield what was written, or raise `Unreadable` where it is not all there."""
    header, salt, cost = _read_header(file)
    cipher = AESGCM(_key(passphrase, salt, cost))
    sealed = _read_chunk(file)
    number = 0
    while sealed is not None:
        following = _read_chunk(file)
        nonce = _nonce(number, is_last=following is None)
        try:
            yield cipher.decrypt(nonce, sealed, header)
        except InvalidTag as exc:
            raise Unreadable(
                "This is not the passphrase that the backup was made with."
                if not number and following is not None
                else "The passphrase is wrong, or the backup is damaged or cut off."
                if not number
                else "The backup is damaged or cut off."
            ) from exc
        sealed, number = following, number + 1
    if not number:
        raise Unreadable("The backup is cut off.")


def is_ours(file: BinaryIO) -> bool:
    """Whether a file begins like one of these; leaves it at its beginning."""
    found = file.read(len(MAGIC)) == MAGIC
    file.seek(0)
    return found


def _read_header(file: BinaryIO) -> tuple[bytes, bytes, int]:
    magic = file.read(len(MAGIC))
    line = file.readline(LONGEST_HEADER)
    try:
        said = json.loads(line)
        salt, cost = base64.b64decode(said["salt"], validate=True), int(said["n"])
        if magic != MAGIC or (said["r"], said["p"]) != (8, 1):
            raise ValueError
        # A forged file must not take all memory there is.
        if not 2 <= cost <= HIGHEST_COST or cost & (cost - 1) or len(salt) != 16:
            raise ValueError
    except (ValueError, KeyError, TypeError) as exc:
        raise Unreadable("This is no backup of PurelyManage, or is damaged.") from exc
    return magic + line, salt, cost


def _read_chunk(file: BinaryIO) -> bytes | None:
    length = file.read(4)
    if not length:
        return None
    size = struct.unpack(">I", length)[0] if len(length) == 4 else 0
    if not TAG <= size <= CHUNK + TAG:
        raise Unreadable("The backup is damaged or cut off.")
    sealed = file.read(size)
    if len(sealed) != size:
        raise Unreadable("The backup is cut off.")
    return sealed


def _key(passphrase: str, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=cost, r=8, p=1).derive(passphrase.encode())


def _nonce(number: int, *, is_last: bool) -> bytes:
    return struct.pack(">QI", number, is_last)
