"""Whole responses in, bytes out, with limits and a clock, and no idea of commands."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from .deflate import Deflating, Inflated
from .errors import ProtocolError
from .tokens import Omitted, literal_size

# Read ahead by the stream while nobody asks for more.
READ_AHEAD = 256 * 1024
# Servers do not send longer lines to the commands we give, hostile ones do.
MAX_LINE = 1024 * 1024
MAX_LITERALS = 64
# Larger literals are streamed to whoever asked for that, or dropped; so is what makes
# the literals of one response larger than this together.
MAX_LITERAL = 12 * 1024 * 1024
PIECE = 64 * 1024


class Sink(Protocol):
    """Takes a literal piece by piece instead of having it in memory."""

    async def begin(self, size: int) -> None: ...

    async def write(self, piece: bytes) -> None: ...

    async def end(self) -> None: ...


class Wire:
    def __init__(
        self, place: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.place = place
        self.reader = reader
        self.writer = writer
        # Where the bytes are read from that mean something.
        self._plain: asyncio.StreamReader | Inflated = reader
        self._deflating: Deflating | None = None
        # True while we wait for the server, and not while it waits for us.
        self.waiting = False
        self._moved = time.monotonic()

    @property
    def still(self) -> float:
        """Return the seconds since something moved in either direction."""
        return time.monotonic() - self._moved

    def touch(self) -> None:
        self._moved = time.monotonic()

    @property
    def tls_version(self) -> str | None:
        tunnel = self.writer.get_extra_info("ssl_object")
        version: str | None = tunnel.version() if tunnel else None
        return version

    @property
    def certificate(self) -> bytes | None:
        """Return what the server proved itself with, as DER."""
        tunnel = self.writer.get_extra_info("ssl_object")
        found: bytes | None = tunnel.getpeercert(binary_form=True) if tunnel else None
        return found

    def abort(self) -> None:
        """Close without a farewell: the other side may not be listening."""
        self.writer.transport.abort()

    def inflate(self) -> None:
        """Take whatever comes from now on for compressed."""
        self._plain = Inflated(self.place, self.reader, READ_AHEAD)

    def deflate(self) -> None:
        """Compress whatever goes from now on."""
        self._deflating = Deflating()

    async def put(self, data: bytes | bytearray | memoryview) -> None:
        if self._deflating is not None:
            data = self._deflating.pack(data)
        self.writer.write(data)
        await self.writer.drain()
        self.touch()

    async def put_body(self, body: bytes | AsyncIterator[bytes]) -> None:
        """Send a long body so that each piece that leaves counts as movement."""
        if isinstance(body, bytes):
            view = memoryview(body)
            for start in range(0, len(view), PIECE):
                await self.put(view[start : start + PIECE])
        else:
            async for piece in body:
                await self.put(piece)

    async def read_response(
        self, find_sink: Callable[[], Sink | None] = lambda: None
    ) -> list[bytes | Omitted]:
        """Return the lines of one response with the literals in between.

        `find_sink` is asked when a literal comes: what we wait for now may be the
        answer to a command that has not been sent yet.
        """
        parts: list[bytes | Omitted] = []
        room, held = MAX_LINE, MAX_LITERAL
        while True:
            line = await self._read_line(room)
            room -= len(line)
            parts.append(line)
            size = literal_size(line)
            if size is None:
                return parts
            if len(parts) > 2 * MAX_LITERALS:
                raise ProtocolError(f"The {self.place} sent too many literals.")
            literal = await self._read_literal(size, find_sink(), most=held)
            if isinstance(literal, bytes):
                held -= size
            parts.append(literal)

    async def _read_line(self, room: int) -> bytes:
        pieces: list[bytes] = []
        while True:
            self.waiting = True
            try:
                piece = await self._plain.readuntil(b"\n")
            except asyncio.LimitOverrunError as exc:
                piece = await self._plain.readexactly(exc.consumed)
            finally:
                self.waiting = False
            self.touch()
            pieces.append(piece)
            room -= len(piece)
            if room < 0:
                raise ProtocolError(f"The {self.place} sent an endless line.")
            if piece.endswith(b"\n"):
                line = b"".join(pieces) if len(pieces) > 1 else piece
                return line[:-2] if line.endswith(b"\r\n") else line[:-1]

    async def _read_literal(
        self, size: int, sink: Sink | None, *, most: int
    ) -> bytes | Omitted:
        if sink is not None:
            await sink.begin(size)
            await self._pass_on(size, sink)
            await sink.end()
            return Omitted(size)
        if size > most:
            await self._pass_on(size, None)
            return Omitted(size)
        # Piece by piece, so that a slow line is not taken for a dead one.
        first = await self._read_some(size) if size else b""
        if len(first) == size:
            return first
        buffer = bytearray(first)
        while len(buffer) < size:
            buffer += await self._read_some(size - len(buffer))
        return bytes(buffer)

    async def _pass_on(self, size: int, sink: Sink | None) -> None:
        while size:
            piece = await self._read_some(size)
            size -= len(piece)
            if sink is not None:
                await sink.write(piece)

    async def _read_some(self, most: int) -> bytes:
        self.waiting = True
        try:
            piece = await self._plain.read(min(most, READ_AHEAD))
        finally:
            self.waiting = False
        if not piece:
            raise EOFError("the connection was closed inside a response")
        self.touch()
        return piece
