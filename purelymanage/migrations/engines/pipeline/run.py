"""One copy from the first look to the verdict.

Look at both sides, send what is missing, look again: that is the whole algorithm.
A lost connection is only another reason to look again.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from purelymanage.figures import thin
from purelymanage.imap.account import Account
from purelymanage.imap.backoff import told_wait
from purelymanage.imap.errors import ImapError, ProtocolError
from purelymanage.imap.folders import list_folders
from purelymanage.migrations.engines.base import (
    CopyOptions,
    FolderProgress,
    FolderState,
    Phase,
    Verdict,
    in_messages,
)

from .creating import create_folders
from .flagging import Flagger, tell
from .following import follow_flags
from .listing import Mark
from .mapping import plan_routes
from .reading import Reading, read_folders
from .sides import Sides
from .tally import Tally
from .throttle import Budget, Pace
from .transfer import Transfer
from .work import Job, Target, leave_out, plan, words

# Times that we look again and still find something to send, as in a mailbox in use.
PASSES = 3
LONGEST_PAUSE = 20.0
# Breaks with one message alone on its way before it takes the blame.
PROOF = 2


class Run:
    def __init__(
        self,
        source: Account,
        destination: Account | None,
        options: CopyOptions,
        tally: Tally,
    ) -> None:
        self._sides = Sides(source, destination, options, tally)
        self._options = options
        self._tally = tally
        self._targets: list[Target] = []
        self._transfer: Transfer | None = None
        self._limit: int | None = None
        self._pace = Pace(options.messages_a_second)
        self.budget = Budget(options.allowance, tally.news.set)
        # Whether nothing has happened since the last full look.
        self._looked = False
        self._stopped = False
        # What was alone on its way when a connection broke, and how often.
        self._suspect: tuple[Job, int] | None = None
        self._breaks: Counter[tuple[str, int]] = Counter()

    async def run(self) -> None:
        """Copy, and start again from a fresh look when a connection breaks."""
        self._sides.refuse_same()
        failures, reached = 0, self._reached()
        try:
            while True:
                try:
                    await self._attempt(careful=failures > 1)
                    return
                except ImapError as exc:
                    if not self._may_pass(exc):
                        raise
                    if self._reached() != reached:
                        failures, reached = 0, self._reached()
                    failures += 1
                    if failures > self._options.reconnects:
                        raise
                    pause = min(LONGEST_PAUSE, 0.25 * 2**failures)
                    if wait := told_wait(exc.technical):
                        pause = wait.total_seconds()
                    if pause > LONGEST_PAUSE:
                        # Whoever made us begin knows how to wait for so long.
                        raise
                    self._tally.note(f"{exc.message} Trying again.")
                    self._sides.narrow()
                await self._close()
                await asyncio.sleep(pause)
        finally:
            await self._close()

    def _may_pass(self, failure: ImapError) -> bool:
        """Say whether to try again; the first connection is a question of settings.

        What makes no sense may do so on another connection, and where it is one
        message that makes none, it is found that way.
        """
        again = failure.retry or isinstance(failure, ProtocolError)
        return again and bool(self._targets)

    def stop(self) -> bool:
        """Send nothing more. False if there is nothing that would end by itself."""
        self._stopped = True
        if self._transfer is None:
            return False
        self._transfer.stop()
        return True

    def verdict(self) -> Verdict:
        """Judge by the last look at both sides, and by nothing else."""
        jobs = [job for target in self._targets for job in target.jobs]
        if not self._looked or any(job.failed for job in jobs):
            return Verdict.INCOMPLETE
        if any(job.progress.failed for job in jobs):
            return Verdict.SKIPPED
        return Verdict.COMPLETE

    async def _attempt(self, *, careful: bool) -> None:
        try:
            self._tally.enter(Phase.CONNECTING, "logging in on both sides")
            await self._sides.connect()
            self._limit = self._sides.limit()
            if not self._targets:
                await self._list()
            writes = not self._options.dry_run and not self._options.flags_only
            if writes:
                if not careful:
                    self._sides.join_ahead()
                self._targets = await create_folders(
                    self._sides.destinations[0], self._targets, self._tally
                )
            await self._look(Phase.READING)
            self._give_up_suspect()
            if self._options.flags_only:
                await self._flag()
            if writes:
                await self._copy(careful=careful)
                await follow_flags(
                    self._sides.destinations[0], self._targets, self._tally
                )
            self._finish()
        except BaseExceptionGroup as group:
            raise _cause(group) from None

    async def _copy(self, *, careful: bool) -> None:
        for _ in range(PASSES):
            if not any(job.waiting for job in self._jobs()):
                break
            self._looked = False
            self._tally.enter(Phase.COPYING)
            self._transfer = Transfer(
                self._sides,
                self._options,
                self._tally,
                careful=careful,
                pace=self._pace,
                budget=self.budget,
            )
            try:
                await self._transfer.run(self._targets)
            finally:
                self._suspect = self._transfer.current if careful else None
                self._transfer = None
            self._suspect = None
            if self._stopped:
                raise asyncio.CancelledError
            self.budget.check()
            await self._look(Phase.COMPARING)

    async def _flag(self) -> None:
        self._tally.enter(Phase.COPYING)
        self._looked = False
        flagger = Flagger(self._sides.source, self._sides.destination, self._tally)
        await flagger.flag_all(self._targets, dry_run=self._options.dry_run)
        self._looked = True
        for job in self._jobs():
            if not job.failed:
                self._tally.note(tell(job))

    def _finish(self) -> None:
        judges = not self._options.dry_run and not self._options.flags_only
        for job in self._jobs():
            if job.unseen and judges:
                be = "is" if job.unseen == 1 else "are"
                reason = f"{in_messages(job.unseen)} {be} not at the destination."
                job.fail(self._tally, reason)
            job.tell_unlisted(self._tally)
            if not job.failed:
                job.progress.state = FolderState.DONE
        self._tally.enter(Phase.DONE)

    async def _close(self) -> None:
        await self._sides.close(politely=self._looked)

    # Looking

    async def _list(self) -> None:
        self._tally.enter(Phase.LISTING, "listing the folders of both sides")
        async with asyncio.TaskGroup() as group:
            coming = group.create_task(list_folders(self._sides.source))
            going = group.create_task(self._sides.list_destination())
        source, destination = coming.result(), going.result()
        gmail = self._sides.source.has("X-GM-EXT-1")
        by_wire: dict[bytes, Target] = {}
        for route in plan_routes(source, destination, self._options, gmail=gmail):
            attributes = route.source.attributes
            target = by_wire.setdefault(
                route.wire,
                Target(
                    route.wire,
                    route.name,
                    route.exists,
                    route.subscribed,
                    route.parents,
                    route.spare,
                ),
            )
            progress = FolderProgress(
                route.source.name, route.name, exists=route.exists
            )
            target.jobs.append(
                Job(route.source, progress, everything="\\ALL" in attributes)
            )
            self._tally.folders.append(progress)
        # Last what holds everything, when the rest is known.
        self._targets = sorted(
            by_wire.values(), key=lambda t: any(job.everything for job in t.jobs)
        )

    async def _look(self, phase: Phase) -> None:
        """Read both sides at the same time and mark what is missing."""
        self._tally.enter(phase)
        jobs = {job.source.wire: job for job in self._jobs() if not job.failed}
        targets = {t.wire: t for t in self._targets if t.exists and t.open_jobs()}
        there = self._sides.destination
        left = {"source": len(jobs), "destination": len(targets) if there else 0}

        def progress(side: str, name: str) -> None:
            left[side] -= 1
            done = len(jobs) - min(len(jobs), max(left.values()))
            self._tally.detail = (
                f"reading headers of {name}, {done} of {len(jobs)} folders"
            )

        def took_source(reading: Reading) -> None:
            job = jobs[reading.wire]
            progress("source", job.progress.source)
            if reading.refusal is not None:
                job.fail(self._tally, words(reading.refusal))
                return
            job.listing = reading.listing
            job.progress.messages = len(reading.listing)
            job.progress.bytes = reading.listing.total_bytes
            job.unlisted = reading.unlisted

        def took_destination(reading: Reading) -> None:
            target = targets[reading.wire]
            progress("destination", target.name)
            if reading.refusal is not None:
                for job in target.jobs:
                    job.fail(self._tally, words(reading.refusal))
                return
            target.listing = reading.listing
            target.permanent_flags = reading.selected.permanent_flags

        if phase == Phase.READING:
            for job in jobs.values():
                job.progress.state = FolderState.READING
        async with asyncio.TaskGroup() as group:
            group.create_task(
                read_folders(
                    self._sides.source,
                    [(wire, job.listing) for wire, job in jobs.items()],
                    writable=False,
                    on_read=took_source,
                    since=self._options.since,
                )
            )
            if there is not None:
                group.create_task(
                    read_folders(
                        there,
                        [(wire, target.listing) for wire, target in targets.items()],
                        writable=not self._options.dry_run,
                        on_read=took_destination,
                    )
                )
        flags_only = self._options.flags_only
        limit = None if flags_only else self._limit
        most = None if flags_only else self._options.most_a_day
        plan(self._targets, self._tally, limit=limit, most_a_day=most)
        self._looked = True
        if phase == Phase.READING and not flags_only:
            self._tell_plan()

    def _tell_plan(self) -> None:
        for job in self._jobs():
            if not job.failed:
                p = job.progress
                p.state = FolderState.WAITING if job.waiting else FolderState.DONE
                self._tally.note(
                    f"{p.source}: {in_messages(p.messages)}, "
                    f"{thin(p.already_there)} already there, {thin(job.waiting)} to copy"
                )

    def _give_up_suspect(self) -> None:
        """Leave out the message that was alone on the line when it broke."""
        if self._suspect is None:
            return
        job, uid = self._suspect
        self._suspect = None
        listing = job.listing
        if listing is None or listing.uids[row := listing.row(uid)] != uid:
            return
        name = job.progress.source
        self._breaks[name, uid] += 1
        if listing.marks[row] == Mark.MISSING and self._breaks[name, uid] >= PROOF:
            reason = "The connection broke each time it was copied."
            leave_out(job, listing, row, reason, self._tally)

    def _jobs(self) -> list[Job]:
        return [job for target in self._targets for job in target.jobs]

    def _reached(self) -> int:
        """Return a number that grows with everything that was achieved."""
        jobs = self._jobs()
        listed = sum(job.listing is not None for job in jobs)
        return listed + sum(job.progress.copied + job.progress.failed for job in jobs)


def _cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the one error to act on: our own mistakes first, then lasting ones."""
    leaves = [
        _cause(error) if isinstance(error, BaseExceptionGroup) else error
        for error in group.exceptions
    ]

    def rank(error: BaseException) -> int:
        return 1 + error.retry if isinstance(error, ImapError) else 0

    return min(leaves, key=rank)
