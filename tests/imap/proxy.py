"""A man in the middle: delays, cuts, stalls and rewrites what servers say."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.imap.serving import InThread

Rewrite = Callable[[bytes], bytes]


class Way(NamedTuple):
    """One direction of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    # The bytes after which to cut, each for one connection.
    cuts: list[int]
    upwards: bool


@dataclass
class Proxy(InThread):
    """Passes clear-text IMAP on. Use it as a context manager."""

    target_port: int
    target_host: str = "127.0.0.1"
    # One way, in seconds.
    delay: float = 0
    # Applied to each piece the server sends.
    rewrite: Rewrite | None = None
    # The same for what the client sends.
    rewrite_sent: Rewrite | None = None
    # Cut the connection once this many bytes went to the server, each number once.
    cut_after_sent: list[int] = field(default_factory=list)
    # The same for bytes from the server.
    cut_after_received: list[int] = field(default_factory=list)
    # Go silent after this many bytes from the server.
    stall_after: int | None = None
    # From here on the server is not heard, until somebody sets `released`.
    hold: bytes | None = None
    released: threading.Event = field(default_factory=threading.Event)
    # How many clients may be there at a time, and whether one was turned away.
    most: int | None = None
    refused: threading.Event = field(default_factory=threading.Event, init=False)
    # Cut whenever a client says this.
    poison: bytes | None = None
    # Something a client may say, and whether one has said it.
    watch: bytes | None = None
    seen: threading.Event = field(default_factory=threading.Event, init=False)
    host: str = field(default="127.0.0.1", init=False)
    connections: int = field(default=0, init=False)
    sent: bytearray = field(default_factory=bytearray, init=False)

    async def talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if self.most is not None and len(self._tasks) > self.most:
            self.refused.set()
            return
        self.connections += 1
        far_reader, far_writer = await asyncio.open_connection(
            self.target_host, self.target_port
        )
        up = asyncio.ensure_future(
            self._pass(Way(reader, far_writer, self.cut_after_sent, upwards=True))
        )
        down = asyncio.ensure_future(
            self._pass(Way(far_reader, writer, self.cut_after_received, upwards=False))
        )
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            # The end of the test, which the server's own callback would report.
            return
        finally:
            for half in (up, down):
                half.cancel()
            far_writer.transport.abort()

    async def _pass(self, way: Way) -> None:
        reader, writer, cuts, upwards = way
        cut = cuts.pop(0) if cuts else None
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        async def forward() -> None:
            passed = 0
            while True:
                due, data = await queue.get()
                wait = due - loop.time()
                if wait > 0:
                    await asyncio.sleep(wait)
                if not upwards and self.rewrite is not None:
                    data = self.rewrite(data)
                if cut is not None and passed + len(data) >= cut:
                    writer.write(data[: cut - passed])
                    await writer.drain()
                    return
                if (
                    not upwards
                    and self.stall_after is not None
                    and passed + len(data) > self.stall_after
                ):
                    await asyncio.Event().wait()
                passed += len(data)
                if not upwards and self.hold is not None and self.hold in data:
                    before, mark, after = data.partition(self.hold)
                    writer.write(before)
                    await asyncio.to_thread(self.released.wait, 10)
                    data = mark + after
                writer.write(data)
                await writer.drain()

        async def receive() -> None:
            while data := await reader.read(65536):
                if upwards:
                    self.sent += data
                    if self.rewrite_sent is not None:
                        data = self.rewrite_sent(data)
                    if self.watch is not None and self.watch in data:
                        self.seen.set()
                    if self.poison is not None and self.poison in data:
                        return
                queue.put_nowait((loop.time() + self.delay, data))

        halves = {asyncio.ensure_future(forward()), asyncio.ensure_future(receive())}
        try:
            await asyncio.wait(halves, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for half in halves:
                half.cancel()
