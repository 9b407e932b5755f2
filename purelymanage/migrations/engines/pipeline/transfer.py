"""Moving messages: fetched ahead in chunks, appended without waiting for answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Any

from purelymanage.imap.connection import Connection
from purelymanage.imap.errors import Refused
from purelymanage.imap.messages import (
    Message,
    append,
    enter,
    fetch_envelope,
    fetch_messages,
    storable,
    stream_message,
    uid_set,
)
from purelymanage.imap.responses import Status
from purelymanage.imap.wire import READ_AHEAD
from purelymanage.migrations.engines.base import FolderState

from .listing import Listing, Mark
from .tally import Tally
from .work import Job, Target

# Asked for with one command. Small enough that the first message of a chunk is soon
# followed by the first of the next one, large enough that commands cost nothing.
CHUNK_BYTES = 512 * 1024
CHUNK_MESSAGES = 200
# From here on a message goes through without being held.
STREAM_FROM = 2 * 1024 * 1024
PIECES_HELD = 8
# Sent and not answered; what nobody knows the fate of when the connection is lost.
UNANSWERED = 256

# Nothing that comes after will be taken either.
_FULL = {"OVERQUOTA"}


class FolderChanged(Exception):
    """The folder is no longer the one that was read."""


@dataclass(slots=True)
class Parcel:
    """A message on its way."""

    target: Target
    job: Job
    listing: Listing
    row: int
    message: Message
    body: bytes | Stream
    # What it takes up in the window.
    weight: int


class Window:
    """How much mail may be in memory. What is larger passes when it is empty."""

    def __init__(self, size: int) -> None:
        self._size = self._free = size
        self._changed = asyncio.Condition()

    async def take(self, size: int) -> int:
        weight = min(size, self._size)
        async with self._changed:
            await self._changed.wait_for(lambda: self._free >= weight)
            self._free -= weight
        return weight

    async def give(self, weight: int) -> None:
        async with self._changed:
            self._free += weight
            self._changed.notify_all()


class Stream:
    """A large message between the connection that reads it and the one that writes."""

    def __init__(self) -> None:
        self.size: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue(PIECES_HELD)
        self._dropped = False

    async def begin(self, size: int) -> None:
        self.size.set_result(size)

    async def write(self, piece: bytes) -> None:
        if not self._dropped:
            await self._pieces.put(piece)

    async def end(self) -> None:
        if not self._dropped:
            await self._pieces.put(None)

    def drop(self) -> None:
        """Nobody will take it; let the connection read on."""
        self._dropped = True
        while not self._pieces.empty():
            self._pieces.get_nowait()

    async def pieces(self) -> AsyncIterator[bytes]:
        while (piece := await self._pieces.get()) is not None:
            yield piece


class Transfer:
    """One pass over everything that is missing, over connections that work.

    A lost connection ends it with that error; the marks in the listings say how far
    it came.
    """

    def __init__(
        self,
        source: Connection,
        destinations: list[Connection],
        tally: Tally,
        *,
        window: int,
        careful: bool,
    ) -> None:
        self._source = source
        self._destinations = destinations
        self._tally = tally
        # One message at a time, to find the one that ends the connection.
        self._careful = careful
        self._window = Window(window)
        self._slots = asyncio.Semaphore(1 if careful else UNANSWERED)
        self._outbox: asyncio.Queue[Parcel | None] = asyncio.Queue()
        self._chunk_bytes = min(CHUNK_BYTES, max(1, window // 4))
        self._chunks: list[asyncio.Task[None]] = []
        self._answers: set[asyncio.Task[None]] = set()
        self._again: list[tuple[Target, Job, int]] = []
        self._stopping = False
        # The last message asked for; when careful, the only one on its way.
        self.current: tuple[Job, int] | None = None
        self._producer: asyncio.Task[None] | None = None

    async def run(self, targets: list[Target]) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._producer = group.create_task(self._produce(targets))
            for destination in self._destinations:
                group.create_task(self._deliver(destination))

    def stop(self) -> None:
        """Send nothing more; `run` ends when what was sent has been answered."""
        self._stopping = True
        if self._producer is not None:
            self._producer.cancel()
        while not self._outbox.empty():
            self._outbox.get_nowait()
        self._end()

    def _end(self) -> None:
        for _ in self._destinations:
            self._outbox.put_nowait(None)

    # From the source

    async def _produce(self, targets: list[Target]) -> None:
        for target in targets:
            for job in target.open_jobs():
                if job.waiting:
                    await self._fetch_folder(target, job)
                else:
                    job.progress.state = FolderState.DONE
        while self._chunks:
            await asyncio.gather(*self._chunks)
            self._chunks.clear()
            # One by one what the source refused to give in a chunk.
            again, self._again = self._again, []
            for target, job, row in again:
                if job.listing is not None:
                    await self._enter(job, job.listing)
                    await self._fetch(target, job, job.listing, [row])
        self._end()

    async def _fetch_folder(self, target: Target, job: Job) -> None:
        listing = job.listing
        if listing is None:
            return
        job.progress.state = FolderState.COPYING
        self._tally.detail = f"copying {job.progress.source}"
        await self._enter(job, listing)
        for chunk in self._cut(listing, listing.rows(Mark.MISSING)):
            await self._fetch(target, job, listing, chunk)

    async def _enter(self, job: Job, listing: Listing) -> None:
        """Go into the folder without waiting; whether it worked shows later."""
        entering = await enter(self._source, job.source.wire, writable=False)

        async def check() -> None:
            status = await entering.answer
            if not status.ok:
                job.fail(self._tally, f"The source does not open it: {status.text}")
            elif entering.selected.uid_validity != listing.uid_validity:
                raise FolderChanged

        self._group.create_task(check())

    def _cut(self, listing: Listing, rows: list[int]) -> Iterator[list[int]]:
        """Cut into chunks by bytes; a large message is a chunk of its own."""
        chunk: list[int] = []
        room = self._chunk_bytes
        for row in rows:
            size = listing.sizes[row]
            full = size > room or len(chunk) >= CHUNK_MESSAGES or self._careful
            if chunk and full:
                yield chunk
                chunk, room = [], self._chunk_bytes
            chunk.append(row)
            room -= size
        if chunk:
            yield chunk

    async def _fetch(
        self, target: Target, job: Job, listing: Listing, chunk: list[int]
    ) -> None:
        self.current = (job, listing.uids[chunk[-1]])
        if len(chunk) == 1 and listing.sizes[chunk[0]] >= STREAM_FROM:
            task = await self._fetch_large(target, job, listing, chunk[0])
        else:
            task = await self._fetch_chunk(target, job, listing, chunk)
        self._chunks.append(task)
        if self._careful:
            await task

    async def _fetch_chunk(
        self, target: Target, job: Job, listing: Listing, chunk: list[int]
    ) -> asyncio.Task[None]:
        """Ask for a chunk, and see to it that each message of it is accounted for."""
        left = await self._window.take(sum(listing.sizes[row] for row in chunk))
        expected = {listing.uids[row]: row for row in chunk}

        def take(message: Message) -> None:
            nonlocal left
            row = expected.get(message.uid)
            if row is None or message.body is None or job.failed or self._stopping:
                return
            del expected[message.uid]
            share = min(listing.sizes[row], left)
            left -= share
            self._outbox.put_nowait(
                Parcel(target, job, listing, row, message, message.body, share)
            )

        uids = uid_set(sorted(expected))
        answer = await fetch_messages(self._source, uids, take)

        async def settle() -> None:
            status = await answer
            await self._window.give(left)
            self._not_delivered(target, job, listing, list(expected.values()), status)

        return self._group.create_task(settle())

    async def _fetch_large(
        self, target: Target, job: Job, listing: Listing, row: int
    ) -> asyncio.Task[None]:
        """Let a message through piece by piece."""
        weight = await self._window.take(PIECES_HELD * READ_AHEAD)
        uid = listing.uids[row]
        stream = Stream()
        envelopes: list[Message] = []
        await fetch_envelope(self._source, uid, envelopes.append)
        answer = await stream_message(self._source, uid, stream)

        async def settle() -> None:
            either: set[asyncio.Future[Any]] = {answer, stream.size}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if stream.size.done() and envelopes and not self._stopping:
                self._outbox.put_nowait(
                    Parcel(target, job, listing, row, envelopes[0], stream, weight)
                )
                await answer
            else:
                stream.drop()
                status = await answer
                await self._window.give(weight)
                self._not_delivered(target, job, listing, [row], status)

        return self._group.create_task(settle())

    def _not_delivered(
        self,
        target: Target,
        job: Job,
        listing: Listing,
        rows: list[int],
        status: Status,
    ) -> None:
        if job.failed or self._stopping:
            return
        for row in rows:
            if status.ok:
                # An answer without it means that it is no longer there.
                listing.marks[row] = Mark.GONE
            elif len(rows) > 1:
                self._again.append((target, job, row))
            else:
                self._fail(job, listing, row, f"The source refused it: {status.text}")

    # To the destination

    async def _deliver(self, destination: Connection) -> None:
        while not self._stopping:
            parcel = await self._outbox.get()
            if parcel is None:
                break
            await self._slots.acquire()
            if self._stopping:
                break
            await self._send(destination, parcel)
        while self._answers:
            await asyncio.wait(self._answers)

    async def _send(self, destination: Connection, parcel: Parcel) -> None:
        listing, message, body = parcel.listing, parcel.message, parcel.body
        if isinstance(body, Stream):
            size = await body.size
        else:
            size = len(body)
        flags = storable(message.flags, parcel.target.permanent_flags)
        listing.marks[parcel.row] = Mark.SENT
        answer = await append(
            destination,
            parcel.target.wire,
            replace(message, flags=flags, body=None),
            size,
            body.pieces() if isinstance(body, Stream) else body,
        )
        await self._window.give(parcel.weight)
        parcel.body = b""

        async def settle() -> None:
            try:
                self._settle(parcel, size, await answer)
            finally:
                self._slots.release()

        task = self._group.create_task(settle())
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    def _settle(self, parcel: Parcel, size: int, status: Status) -> None:
        progress, listing, row = parcel.job.progress, parcel.listing, parcel.row
        if status.ok:
            listing.marks[row] = Mark.CONFIRMED
            progress.copied += 1
            progress.bytes_copied += size
            if not parcel.job.under_way:
                progress.state = FolderState.DONE
            return
        refused = Refused(
            "The destination takes no more messages.", status.text, code=status.code
        )
        if status.code in _FULL or refused.retry:
            listing.marks[row] = Mark.MISSING
            raise refused
        self._fail(
            parcel.job, listing, row, f"The destination refused it: {status.text}"
        )

    def _fail(self, job: Job, listing: Listing, row: int, reason: str) -> None:
        listing.marks[row] = Mark.FAILED
        job.progress.failed += 1
        self._tally.refuse(
            job.progress.source, listing.uids[row], listing.sizes[row], reason
        )
