"""A look at both sides at the same time, to see what is missing.

A folder can be told about as soon as it was read on both sides, but for one that holds
what lies in the others as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from purelymanage.figures import thin
from purelymanage.migrations.engines.base import (
    CopyOptions,
    FolderState,
    Phase,
    in_messages,
)

from .creating import create_folders
from .reading import Reading, read_folders
from .sides import Sides
from .tally import Tally
from .work import Job, Target, plan, words


class Look:
    def __init__(
        self,
        sides: Sides,
        options: CopyOptions,
        tally: Tally,
        targets: list[Target],
        on_known: Callable[[Target], None],
    ) -> None:
        self._sides = sides
        self._options = options
        self._tally = tally
        self._targets = targets
        self._on_known = on_known
        self._first = False
        self._jobs: dict[bytes, Job] = {}
        self._target_of: dict[bytes, Target] = {}
        self._unread: set[bytes] = set()
        # Of the destination; None until it is known which folders there are.
        self._unread_there: set[bytes] | None = None

    async def run(self, phase: Phase, *, creates: bool) -> list[Target]:
        """Read all folders, and return them; some may have become one.

        With `creates`, those that the destination lacks are made meanwhile.
        """
        self._tally.enter(phase)
        self._first = phase == Phase.READING
        self._jobs = {
            job.source.wire: job
            for target in self._targets
            for job in target.open_jobs()
        }
        self._unread = set(self._jobs)
        if self._first:
            for job in self._jobs.values():
                job.progress.state = FolderState.READING
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read_source())
            group.create_task(self._read_destination(creates=creates))
        for target in self._targets:
            if _holds_everything(target):
                self._plan(target)
        return self._targets

    async def _read_source(self) -> None:
        def take(reading: Reading) -> None:
            job = self._jobs[reading.wire]
            self._unread.discard(reading.wire)
            self._tell_progress(job.progress.source)
            if reading.refusal is not None:
                job.fail(self._tally, words(reading.refusal))
            else:
                job.listing = reading.listing
                job.progress.messages = len(reading.listing)
                job.progress.bytes = reading.listing.total_bytes
                job.unlisted = reading.unlisted
            if self._unread_there is not None:
                self._consider(self._target_of[reading.wire])

        await read_folders(
            self._sides.source,
            [(wire, job.listing) for wire, job in self._jobs.items()],
            writable=False,
            on_read=take,
            since=self._options.since,
        )

    async def _read_destination(self, *, creates: bool) -> None:
        there = self._sides.destination
        if there is not None and creates:
            self._targets = await create_folders(there, self._targets, self._tally)
        self._target_of = {
            job.source.wire: target for target in self._targets for job in target.jobs
        }
        targets = {
            target.wire: target
            for target in self._targets
            if there is not None and target.exists and target.open_jobs()
        }
        self._unread_there = set(targets)
        for target in self._targets:
            self._consider(target)
        if there is None:
            return

        def take(reading: Reading) -> None:
            target = targets[reading.wire]
            if self._unread_there is not None:
                self._unread_there.discard(reading.wire)
            self._tell_progress(target.name)
            if reading.refusal is not None:
                for job in target.jobs:
                    job.fail(self._tally, words(reading.refusal))
            else:
                target.listing = reading.listing
                target.permanent_flags = reading.selected.permanent_flags
            self._consider(target)

        await read_folders(
            there,
            [(wire, target.listing) for wire, target in targets.items()],
            writable=not self._options.dry_run,
            on_read=take,
        )

    def _tell_progress(self, name: str) -> None:
        total = len(self._jobs)
        left = max(len(self._unread), len(self._unread_there or ()))
        done = total - min(total, left)
        self._tally.detail = f"reading headers of {name}, {done} of {total} folders"

    def _consider(self, target: Target) -> None:
        """Tell about a folder if it was the last news of it."""
        if self._unread_there is None or target.wire in self._unread_there:
            return
        unread = any(job.source.wire in self._unread for job in target.jobs)
        if not unread and not _holds_everything(target):
            self._plan(target)

    def _plan(self, target: Target) -> None:
        options = self._options
        flags_only = options.flags_only
        plan(
            target,
            self._targets,
            self._tally,
            limit=None if flags_only else self._sides.limit(),
            most_a_day=None if flags_only else options.most_a_day,
        )
        if self._first and not flags_only:
            for job in target.open_jobs():
                self._tell(job)
        self._on_known(target)

    def _tell(self, job: Job) -> None:
        p = job.progress
        p.state = FolderState.WAITING if job.waiting else FolderState.DONE
        self._tally.note(
            f"{p.source}: {in_messages(p.messages)}, "
            f"{thin(p.already_there)} already there, {thin(job.waiting)} to copy"
        )


def _holds_everything(target: Target) -> bool:
    return any(job.everything for job in target.jobs)
