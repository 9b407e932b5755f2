"""Handing messages to the destination without waiting for its answers."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from purelymanage.imap.connection import Connection
from purelymanage.imap.errors import Refused
from purelymanage.imap.messages import Upload, append, enter, storable
from purelymanage.imap.responses import Status
from purelymanage.migrations.engines.base import FolderState

from .listing import Mark
from .passage import FolderChanged, Parcel, Passage, Stream
from .work import Target

# APPEND commands without an answer on one connection.
UNANSWERED = 64
# The same where a command takes many messages: few enough that those which arrive
# meanwhile wait for each other and go together.
UNANSWERED_BATCHES = 4
# Messages in one of them, where the server takes several. Opening and locking the
# folder costs a server more than the writing of a message.
BATCH_MESSAGES = 50
BATCH_BYTES = 2 * 1024 * 1024
# It is not worth a command to open a folder for fewer.
FEW = 3

# Nothing that comes after will be taken either.
_FULL = {"OVERQUOTA"}


class Deliverer:
    """One connection's share of the work."""

    def __init__(
        self, destination: Connection, passage: Passage, group: asyncio.TaskGroup
    ) -> None:
        self._destination = destination
        self._passage = passage
        self._group = group
        # Where each message waits for leave, a batch would only take longer to end.
        able = destination.has("MULTIAPPEND") and destination.has("LITERAL+")
        self._batches = able and not passage.careful
        slots = UNANSWERED_BATCHES if self._batches else UNANSWERED
        self._slots = asyncio.Semaphore(slots)
        self._answers: set[asyncio.Task[None]] = set()
        # The folder we are at work in.
        self._at: bytes | None = None
        self._retired = False

    async def deliver_all(self) -> None:
        """Send until nothing comes any more and everything has been answered."""
        most = BATCH_MESSAGES if self._batches else 1
        while not self._passage.stopping and not self._retired:
            await self._slots.acquire()
            before = self._at
            self._at, batch = await self._passage.outbox.take(
                before, most=most, room=BATCH_BYTES
            )
            if not batch or self._passage.stopping:
                break
            if self._at != before:
                await self._enter(batch[0].target)
            await self._send(batch)
        if self._retired:
            self._passage.outbox.leave(self._at)
        while self._answers:
            await asyncio.wait(self._answers)

    def retire(self) -> None:
        """Take nothing more; the others do better without us."""
        self._retired = True

    async def _enter(self, target: Target) -> None:
        """Go into a folder that gets many messages one by one, all of them from us.

        A server that has it open need not open it for each of them, which takes
        longer than to store one. What others put there it would have to tell us.
        """
        outbox = self._passage.outbox
        many = outbox.waiting(target.wire) >= FEW
        if not self._batches and many and not outbox.is_shared(target.wire):
            await enter(self._destination, target.wire, writable=True)

    async def _send(self, batch: list[Parcel]) -> None:
        uploads = [await _upload(parcel) for parcel in batch]
        for parcel in batch:
            parcel.mark(Mark.SENT)
            parcel.job.progress.state = FolderState.COPYING
        name = batch[0].job.progress.source
        self._passage.tally.detail = f"copying {name}"
        answer = await append(self._destination, batch[0].target.wire, uploads)

        async def settle() -> None:
            try:
                await self._settle(batch, [u.size for u in uploads], await answer)
            finally:
                self._slots.release()

        task = self._group.create_task(settle())
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _settle(
        self, batch: list[Parcel], sizes: list[int], status: Status
    ) -> None:
        if not status.ok and len(batch) > 1:
            # All or none were taken. One by one it shows which ones are refused.
            for parcel in batch:
                parcel.mark(Mark.MISSING)
            for parcel in batch:
                if not self._passage.stopping:
                    upload = await _upload(parcel)
                    parcel.mark(Mark.SENT)
                    wire = parcel.target.wire
                    answer = await append(self._destination, wire, [upload])
                    await self._settle([parcel], [upload.size], await answer)
            return
        for parcel, size in zip(batch, sizes, strict=True):
            if status.ok:
                self._confirm(parcel, size)
            else:
                self._refuse(parcel, status)
            parcel.body = b""
        self._passage.answered += len(batch)
        self._passage.answered_bytes += sum(sizes)
        await self._passage.window.give(sum(parcel.weight for parcel in batch))

    def _confirm(self, parcel: Parcel, size: int) -> None:
        parcel.mark(Mark.CONFIRMED)
        progress = parcel.job.progress
        progress.copied += 1
        progress.bytes_copied += size
        if not parcel.job.under_way:
            progress.state = FolderState.DONE

    def _refuse(self, parcel: Parcel, status: Status) -> None:
        refused = Refused(
            "The destination takes no more messages.", status.text, code=status.code
        )
        if status.code in _FULL or refused.retry:
            parcel.mark(Mark.MISSING)
            raise refused
        if status.code == "TRYCREATE" and parcel.target.is_lost():
            parcel.mark(Mark.MISSING)
            name = parcel.target.name
            raise FolderChanged(f"The folder {name} went away during the copy.")
        self._passage.fail(
            parcel.job,
            parcel.listing,
            parcel.row,
            f"The destination refused it: {status.text}",
        )


async def _upload(parcel: Parcel) -> Upload:
    permanent = parcel.target.permanent_flags
    message = replace(parcel.message, flags=storable(parcel.message.flags, permanent))
    if isinstance(parcel.body, Stream):
        return Upload(message, await parcel.body.size, parcel.body.pieces())
    return Upload(message, len(parcel.body), parcel.body)
