"""What travels compressed (RFC 4978), read and written as if it did not."""

from __future__ import annotations

import asyncio
import zlib

from .errors import ProtocolError

# Raw, without the header and checksum of zlib, as the RFC has it.
_WINDOW = -15
# The lines this pays on are slow, but processors are shared with other copies.
_LEVEL = 1
# Few bytes may stand for very many, so this much is unpacked at a time.
_STEP = 64 * 1024


class Inflated:
    """Reads like the stream it is made of, which brings compressed bytes from now on.

    `limit` is how long a line may be before it is handed out in parts.
    """

    def __init__(self, place: str, raw: asyncio.StreamReader, limit: int) -> None:
        self._place = place
        self._raw = raw
        self._limit = limit
        self._inflate = zlib.decompressobj(_WINDOW)
        self._packed = b""
        # The last step was full, so there may be more without further input.
        self._was_full = False
        self._buffer = bytearray()

    async def readuntil(self, separator: bytes) -> bytes:
        searched = 0
        while True:
            found = self._buffer.find(separator, searched)
            if found >= 0:
                return self._cut(found + len(separator))
            searched = max(0, len(self._buffer) - len(separator) + 1)
            if len(self._buffer) > self._limit:
                raise asyncio.LimitOverrunError("a long line", searched)
            if not await self._unpack():
                raise asyncio.IncompleteReadError(bytes(self._buffer), None)

    async def readexactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            if not await self._unpack():
                raise asyncio.IncompleteReadError(bytes(self._buffer), count)
        return self._cut(count)

    async def read(self, most: int) -> bytes:
        if not self._buffer:
            await self._unpack()
        return self._cut(most)

    def _cut(self, count: int) -> bytes:
        piece = bytes(memoryview(self._buffer)[:count])
        del self._buffer[:count]
        return piece

    async def _unpack(self) -> bool:
        """Add something to the buffer; False at the end."""
        while True:
            if not self._packed and not self._was_full:
                self._packed = await self._raw.read(_STEP)
                if not self._packed:
                    return False
            if self._inflate.eof:
                return False
            try:
                piece = self._inflate.decompress(self._packed, _STEP)
            except zlib.error as exc:
                raise ProtocolError(
                    f"The {self._place} sent what cannot be unpacked.", str(exc)
                ) from None
            self._packed = self._inflate.unconsumed_tail
            self._was_full = len(piece) == _STEP
            if piece:
                self._buffer += piece
                return True


class Deflating:
    """Compresses what is written, so that each piece can be read when it arrives."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW)

    def pack(self, data: bytes | bytearray | memoryview) -> bytes:
        return self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
