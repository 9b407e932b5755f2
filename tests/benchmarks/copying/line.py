"""A line of some length to a mail server: what goes in comes out a moment later.

    python -m tests.benchmarks.copying.line --delay 0.02 --without LITERAL+ 1143 2143

Each byte is late by the same time however many are under way, as on a real line. With
--rate all connections share so many bytes a second each way, and else nothing limits
how many there are. It prints the ports it listens at, one for each port
named, and ends when its input does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import deque

# Held for a side that does not take it. Far more than fits on any line.
MOST_HELD = 32 * 1024 * 1024
# The same in seconds where the line is narrow: what routers hold is no longer than that.
HELD_BY_ROUTERS = 0.1
# A narrow line is shared in pieces of this size.
TURN = 16 * 1024
PIECE = 256 * 1024
# Capabilities come that early, and what comes later must keep its length.
TALK = 8 * 1024


class Lane:
    """One direction of a line, shared by all connections over it."""

    def __init__(self, delay: float, rate: float) -> None:
        self.delay = delay
        self._rate = rate
        self._free_at = 0.0
        self.most_held = int(HELD_BY_ROUTERS * rate) if rate else MOST_HELD

    def cut(self, piece: bytes) -> list[bytes]:
        if not self._rate:
            return [piece]
        return [piece[at : at + TURN] for at in range(0, len(piece), TURN)]

    def due(self, now: float, size: int) -> float:
        """Say when so many bytes have come out at the other end."""
        if self._rate:
            self._free_at = now = max(now, self._free_at) + size / self._rate
        return now + self.delay


class End(asyncio.BufferedProtocol):
    """One end of a connection. What it hears goes to the other end, late."""

    def __init__(self, lane: Lane, hidden: list[bytes]) -> None:
        self._lane = lane
        self._hidden = hidden
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray(PIECE)
        self._held: deque[tuple[float, bytes | None]] = deque()
        self._bytes_held = 0
        self._heard = 0
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._is_paused = False
        # Whether whoever is at this end has said all.
        self._has_ended = False
        # Set once the line to the other end stands.
        self.other: End | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(MOST_HELD)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, count: int) -> None:
        piece = bytes(memoryview(self._buffer)[:count])
        talk = piece[: max(0, TALK - self._heard)]
        if self._hidden and b"CAPABILITY" in talk:
            rest = piece[len(talk) :]
            for word in self._hidden:
                talk = talk.replace(b" " + word, b"")
            piece = talk + rest
        self._heard += count
        for part in self._lane.cut(piece):
            self._hold(part)
        self._bytes_held += len(piece)
        if self._bytes_held > self._lane.most_held and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        self._has_ended = True
        self._hold(None)
        return True

    def connection_lost(self, reason: Exception | None) -> None:
        self._has_ended = True
        self._transport = None
        self._hold(None)

    def pass_on(self) -> None:
        """Let out what has been on its way for long enough."""
        self._timer = None
        far = self.other
        if far is None:
            return
        now = self._loop.time()
        while self._held and self._held[0][0] <= now:
            _, piece = self._held.popleft()
            if piece is None:
                far.end()
                continue
            self._bytes_held -= len(piece)
            if far._transport is not None:
                far._transport.write(piece)
        if self._is_paused and self._bytes_held < self._lane.most_held // 2:
            self._is_paused = False
            if self._transport is not None:
                self._transport.resume_reading()
        if self._held:
            self._timer = self._loop.call_at(self._held[0][0], self.pass_on)

    def end(self) -> None:
        """Say no more, and listen on only as long as there is somebody to tell."""
        if self._transport is None or self.other is None:
            return
        if self._has_ended or self.other._transport is None:
            self._transport.close()
        else:
            self._transport.write_eof()

    def _hold(self, piece: bytes | None) -> None:
        due = self._lane.due(self._loop.time(), len(piece or b""))
        self._held.append((due, piece))
        if self.other is not None and self._timer is None:
            self._timer = self._loop.call_at(due, self.pass_on)


class Line:
    """The way to one server."""

    def __init__(
        self, port: int, delay: float, hidden: list[bytes], rate: float = 0
    ) -> None:
        self._port = port
        self._there, self._back = Lane(delay, rate), Lane(delay, rate)
        self._hidden = hidden
        self._opening: set[asyncio.Task[None]] = set()

    async def listen(self) -> int:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._accept, "127.0.0.1", 0)
        port: int = server.sockets[0].getsockname()[1]
        return port

    def _accept(self) -> End:
        near = End(self._there, [])
        task = asyncio.get_running_loop().create_task(self._open(near))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)
        return near

    async def _open(self, near: End) -> None:
        # Connecting takes a whole round trip, and the greeting begins half a one
        # later; here the connection stood at once.
        await asyncio.sleep(3 * self._there.delay)
        loop = asyncio.get_running_loop()
        _, far = await loop.create_connection(
            lambda: End(self._back, self._hidden), "127.0.0.1", self._port
        )
        far.other, near.other = near, far
        near.pass_on()


async def serve(wishes: argparse.Namespace) -> None:
    hidden = [word.encode() for word in wishes.without]
    ports = [
        await Line(port, wishes.delay, hidden, wishes.rate).listen()
        for port in wishes.ports
    ]
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    await reader.read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ports", type=int, nargs="+")
    parser.add_argument("--delay", type=float, default=0, help="one way, in seconds")
    parser.add_argument("--rate", type=float, default=0, help="bytes a second")
    parser.add_argument("--without", action="append", default=[], metavar="CAPABILITY")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
