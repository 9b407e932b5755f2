"""Asking the source for messages, in chunks and ahead of the destination."""

from __future__ import annotations

import asyncio
from typing import Any

from purelymanage.imap.connection import Connection
from purelymanage.imap.errors import Refused
from purelymanage.imap.messages import (
    Entering,
    Message,
    enter,
    fetch_envelope,
    fetch_messages,
    stream_message,
    uid_set,
)
from purelymanage.imap.responses import Status
from purelymanage.imap.wire import READ_AHEAD

from .listing import Listing
from .orders import PARCEL, Order, Orders
from .passage import PIECES_HELD, FolderChanged, Parcel, Passage, Stream
from .throttle import Budget, Pace
from .work import Job, Target

# Asked for with one command. Small enough that a chunk lost is little lost, large
# enough that commands cost nothing.
CHUNK_BYTES = 512 * 1024
CHUNK_MESSAGES = 200
# As often a folder may turn out to be another one.
REPLACED = 2
# From here on a message goes through without being held.
STREAM_FROM = 8 * 1024 * 1024


class Fetcher:
    def __init__(
        self,
        source: Connection,
        passage: Passage,
        group: asyncio.TaskGroup,
        *,
        window: int,
        pace: Pace,
        budget: Budget,
    ) -> None:
        self._source = source
        self._passage = passage
        self._group = group
        self._pace = pace
        self._budget = budget
        self._chunk_bytes = min(CHUNK_BYTES, max(1, window // 4))
        self._chunks: set[asyncio.Task[None]] = set()
        # What each message asked for in the current folder takes up in the window.
        self._expected: dict[int, int] = {}
        self._entering: Entering | None = None
        self._again: list[tuple[Target, Job, int]] = []
        # The last message asked for; when careful, the only one on its way.
        self.current: tuple[Job, int] | None = None

    async def fetch_all(self, orders: Orders) -> None:
        """Ask for what is missing, until there is nothing left that nobody asked for."""
        at: Order | None = None
        most = min(CHUNK_MESSAGES, self._pace.at_once or CHUNK_MESSAGES)
        most = 1 if self._passage.careful else most
        while (order := await orders.coming(at)) is not None:
            if order is not at:
                at = order
                # Its answers, and no longer those about the folder before.
                self._expected = {}
                await self._enter(order.job, order.listing)
            sizes = order.listing.sizes
            chunk = order.cut(self._chunk_bytes, most)
            within = [row for row in chunk if await self._budget.take(sizes[row])]
            if within:
                await self._fetch(order.target, order.job, order.listing, within)
        while self._chunks or self._again:
            await asyncio.gather(*self._chunks)
            # One by one what the source refused to give in a chunk.
            again, self._again = self._again, []
            for target, job, row in again:
                if job.listing is not None:
                    self._expected = {}
                    await self._enter(job, job.listing)
                    await self._fetch(target, job, job.listing, [row])

    async def _enter(self, job: Job, listing: Listing) -> None:
        """Go into the folder without waiting; whether it worked shows later."""
        entering = await enter(self._source, job.source.wire, writable=False)
        self._entering = entering

        async def check() -> None:
            status = await entering.answer
            if not status.ok:
                self._raise_passing(status)
                job.fail(
                    self._passage.tally, f"The source does not open it: {status.text}"
                )
            elif entering.selected.uid_validity != listing.uid_validity:
                job.replaced += 1
                if job.replaced > REPLACED:
                    reason = "The source replaces this folder again and again."
                    job.fail(self._passage.tally, reason)
                    return
                name = job.progress.source
                raise FolderChanged(f"The folder {name} was replaced during the copy.")

        self._group.create_task(check())

    async def _fetch(
        self, target: Target, job: Job, listing: Listing, chunk: list[int]
    ) -> None:
        await self._pace.wait(len(chunk))
        self.current = (job, listing.uids[chunk[-1]])
        large = len(chunk) == 1 and listing.sizes[chunk[0]] >= STREAM_FROM
        if large:
            task = await self._fetch_large(target, job, listing, chunk[0])
        else:
            task = await self._fetch_chunk(target, job, listing, chunk)
        self._chunks.add(task)
        task.add_done_callback(self._chunks.discard)
        if self._passage.careful or large:
            await task
        if self._passage.careful:
            await self._passage.window.drained()

    async def _fetch_chunk(
        self, target: Target, job: Job, listing: Listing, chunk: list[int]
    ) -> asyncio.Task[None]:
        """Ask for a chunk, and see to it that each message of it is accounted for.

        Servers that wait for the line work on the next chunk meanwhile, so any chunk
        may bring the messages of any other one of the same folder.
        """
        weights = {listing.uids[row]: listing.sizes[row] + PARCEL for row in chunk}
        whole = sum(weights.values())
        taken = await self._passage.window.take(whole)
        if taken < whole:
            # A single message that is larger than the window.
            weights = dict.fromkeys(weights, taken)
        expected, entering = self._expected, self._entering
        expected.update(weights)

        def take(message: Message) -> None:
            weight = expected.get(message.uid)
            if (
                weight is None
                or message.body is None
                or job.failed
                or self._passage.stopping
                or not _is_same(entering, listing)
            ):
                return
            del expected[message.uid]
            row = listing.row(message.uid)
            self._passage.outbox.put(
                Parcel(target, job, listing, row, message, message.body, weight)
            )

        answer = await fetch_messages(self._source, uid_set(sorted(weights)), take)

        async def settle() -> None:
            status = await answer
            left = {uid: expected.pop(uid, None) for uid in weights}
            missed = {uid: weight for uid, weight in left.items() if weight is not None}
            await self._passage.window.give(sum(missed.values()))
            if _is_same(entering, listing):
                rows = [listing.row(uid) for uid in missed]
                self._not_delivered(target, job, listing, rows, status)

        return self._group.create_task(settle())

    async def _fetch_large(
        self, target: Target, job: Job, listing: Listing, row: int
    ) -> asyncio.Task[None]:
        """Let a message through piece by piece.

        Nothing else may be under way: its text would be taken for that of this one.
        """
        if self._chunks:
            await asyncio.wait(self._chunks)
        weight = await self._passage.window.take(PIECES_HELD * READ_AHEAD)
        uid = listing.uids[row]
        stream = Stream()
        envelopes: list[Message] = []
        await (await fetch_envelope(self._source, uid, envelopes.append))
        answer = await stream_message(self._source, uid, stream)

        async def settle() -> None:
            either: set[asyncio.Future[Any]] = {answer, stream.size}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if stream.size.done() and envelopes and not self._passage.stopping:
                self._passage.outbox.put(
                    Parcel(target, job, listing, row, envelopes[0], stream, weight)
                )
                await answer
            else:
                stream.drop()
                status = await answer
                await self._passage.window.give(weight)
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
        if job.failed or self._passage.stopping:
            return
        if rows:
            self._raise_passing(status)
        for row in rows:
            if status.ok:
                self._withheld(job, listing, row)
            elif len(rows) > 1:
                self._again.append((target, job, row))
            else:
                self._passage.fail(
                    job, listing, row, f"The source refused it: {status.text}"
                )

    def _withheld(self, job: Job, listing: Listing, row: int) -> None:
        """Note what did not come. If it was deleted, the next look will tell."""
        uid = listing.uids[row]
        if uid in job.withheld:
            reason = "The source lists it and does not hand it out."
            self._passage.fail(job, listing, row, reason)
        job.withheld.add(uid)

    def _raise_passing(self, status: Status) -> None:
        """End the pass where a refusal speaks of this moment, not of a message."""
        refused = Refused(
            "The source gives out nothing more for now.", status.text, code=status.code
        )
        if not status.ok and refused.retry:
            raise refused


def _is_same(entering: Entering | None, listing: Listing) -> bool:
    """Say whether the numbers of messages mean what they meant when they were read."""
    return (
        entering is not None and entering.selected.uid_validity == listing.uid_validity
    )
