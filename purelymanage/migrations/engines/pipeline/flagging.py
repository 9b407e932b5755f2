"""Giving messages that are at the destination already the flags of the source."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from purelymanage.imap.connection import Connection
from purelymanage.imap.errors import Refused
from purelymanage.imap.messages import (
    enter,
    fetch_flags,
    storable,
    store_flags,
    uid_set,
)
from purelymanage.imap.responses import Status
from purelymanage.migrations.engines.base import FolderState, in_messages

from .listing import Listing
from .matching import find_pairs
from .passage import FolderChanged
from .reading import UIDS_AT_ONCE
from .tally import Tally
from .work import Job, Target, leave_out

Flags = frozenset[bytes]

# Made equal on both sides. Keywords are only added, as some belong to programs of the
# new owner, and what is marked as deleted here may be for good there.
_EQUAL = {b"\\Seen", b"\\Answered", b"\\Flagged", b"\\Draft"}
_NEVER = {b"\\deleted", b"\\recent"}


@dataclass(slots=True)
class _Part:
    """One folder of the source, as far as it lies in one of the destination."""

    job: Job
    listing: Listing
    wanted: dict[int, Flags] = field(default_factory=dict)
    # Messages that are on both sides.
    paired: int = 0
    changes: list[_Change] = field(default_factory=list)

    def count(self) -> None:
        """Let the figures speak of marks: what differs is what there is to do."""
        progress = self.job.progress
        progress.to_copy = progress.copied + len(self.changes)
        progress.bytes_to_copy = 0
        done = progress.to_copy + progress.failed
        progress.already_there = max(0, self.paired - done)


@dataclass(frozen=True, slots=True)
class _Change:
    """What one message is to be given, and what is to be taken from it."""

    part: _Part
    row: int
    uid: int
    add: Flags
    take: Flags


class Flagger:
    def __init__(
        self, source: Connection, destination: Connection | None, tally: Tally
    ) -> None:
        self._source = source
        self._destination = destination
        self._tally = tally

    async def flag_all(self, targets: list[Target], *, dry_run: bool) -> None:
        """Compare all folders that exist on both sides, and change what differs."""
        for target in targets:
            parts = [
                _Part(job, job.listing)
                for job in target.open_jobs()
                if job.listing is not None
            ]
            for part in parts:
                part.job.progress.state = FolderState.COPYING
                self._tally.detail = f"comparing marks of {part.job.progress.source}"
            for part in parts:
                part.count()
            there = target.listing
            if self._destination and target.exists and there is not None:
                folder = _Shared(self._destination, target, there, parts, self._tally)
                await folder.flag(self._source, dry_run=dry_run)


class _Shared:
    """A folder of the destination with its counterparts at the source."""

    def __init__(
        self,
        destination: Connection,
        target: Target,
        there: Listing,
        parts: list[_Part],
        tally: Tally,
    ) -> None:
        self._destination = destination
        self._target = target
        self._there = there
        self._parts = parts
        self._tally = tally

    async def flag(self, source: Connection, *, dry_run: bool) -> None:
        for part in self._parts:
            await _enter(source, part.job.source.wire, part.listing, writable=False)
            part.wanted = await _fetch(source)
        wire = self._target.wire
        await _enter(self._destination, wire, self._there, writable=not dry_run)
        await self._compare()
        for part in self._parts:
            part.count()
        changes = [change for part in self._parts for change in part.changes]
        if dry_run or not changes:
            return
        groups: dict[tuple[Flags, Flags], list[_Change]] = defaultdict(list)
        for change in changes:
            groups[change.add, change.take].append(change)
        for group in groups.values():
            for start in range(0, len(group), UIDS_AT_ONCE):
                await self._store(group[start : start + UIDS_AT_ONCE])
        await self._compare()
        for part in self._parts:
            for change in part.changes:
                # Servers say OK to flags that they do not keep.
                part.job.progress.copied -= 1
                self._leave_out(change, "The destination did not keep its marks.")
            part.changes.clear()
            part.count()

    async def _compare(self) -> None:
        present = await _fetch(self._destination)
        found = find_pairs([part.listing for part in self._parts], self._there)
        for part, pairs in zip(self._parts, found, strict=True):
            part.paired, part.changes = len(pairs), []
            for row, match in pairs:
                uid = self._there.uids[match]
                want = part.wanted.get(part.listing.uids[row])
                have = present.get(uid)
                if want is None or have is None or part.listing.is_left_out(row):
                    # Deleted meanwhile, or given up on.
                    continue
                add, take = difference(want, have, self._target.permanent_flags)
                if add or take:
                    part.changes.append(_Change(part, row, uid, add, take))

    async def _store(self, changes: list[_Change]) -> None:
        uids = uid_set(sorted(change.uid for change in changes))
        for flags, is_added in ((changes[0].add, True), (changes[0].take, False)):
            if not flags:
                continue
            status = await store(self._destination, uids, flags, add=is_added)
            if not status.ok:
                for change in changes:
                    reason = f"The destination refused its marks: {status.text}"
                    self._leave_out(change, reason)
                return
        for change in changes:
            change.part.job.progress.copied += 1

    def _leave_out(self, change: _Change, reason: str) -> None:
        part = change.part
        leave_out(part.job, part.listing, change.row, reason, self._tally)


async def store(
    destination: Connection, uids: str, flags: Flags, *, add: bool
) -> Status:
    """Change flags, and raise Refused if the server only takes no changes for now."""
    status = await (await store_flags(destination, uids, flags, add=add))
    refused = Refused(
        "The destination takes no changes for now.", status.text, code=status.code
    )
    if not status.ok and refused.retry:
        raise refused
    return status


def difference(
    want: Iterable[bytes], have: Iterable[bytes], permanent: Flags | None
) -> tuple[Flags, Flags]:
    """Return which flags are to be added at the destination, and which removed."""
    wanted = {f for f in storable(want, permanent) if f.lower() not in _NEVER}
    there = set(storable(have, None))
    known = {flag.lower() for flag in there}
    add = frozenset(flag for flag in wanted if flag.lower() not in known)
    return add, frozenset((there & _EQUAL) - wanted)


async def _enter(
    connection: Connection, wire: bytes, listing: Listing, *, writable: bool
) -> None:
    entering = await enter(connection, wire, writable=writable)
    connection.expect_ok(await entering.answer, [b"SELECT"])
    if entering.selected.uid_validity != listing.uid_validity:
        raise FolderChanged("A folder was replaced while marks were compared.")


async def _fetch(connection: Connection) -> dict[int, Flags]:
    found: dict[int, Flags] = {}
    # Few sets of flags are different, and a mailbox may have 200,000 messages.
    known: dict[Flags, Flags] = {}

    def take(uid: int, flags: Flags) -> None:
        found[uid] = known.setdefault(flags, flags)

    status = await (await fetch_flags(connection, take))
    if found or status.ok:
        connection.expect_ok(status, [b"FETCH"])
    return found


def tell(job: Job) -> str:
    """Say for the log what is to be done in a folder."""
    progress = job.progress
    apart = progress.messages - progress.already_there - progress.to_copy
    return (
        f"{progress.source}: {in_messages(progress.to_copy)} with other marks, "
        f"{in_messages(max(0, apart))} not at the destination"
    )
