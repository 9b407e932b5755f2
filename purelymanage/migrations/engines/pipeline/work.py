"""The folders a copy has to do with, and what is known about each."""

from __future__ import annotations

from dataclasses import dataclass, field

from purelymanage.figures import thin
from purelymanage.imap.errors import Refused
from purelymanage.imap.folders import Folder
from purelymanage.migrations.engines.base import (
    FolderProgress,
    FolderState,
    in_messages,
)

from .listing import Listing, Mark
from .matching import find_present
from .tally import Tally


@dataclass(slots=True)
class Job:
    """One folder of the source."""

    source: Folder
    progress: FolderProgress
    listing: Listing | None = None
    # Holds everything that lies elsewhere as well, like Gmail's All Mail.
    everything: bool = False
    failed: bool = False
    # Messages without a counterpart when we last looked, and without an excuse.
    unseen: int = 0
    # What the source counts and says nothing about.
    unlisted: int = 0
    # Messages that were asked for and did not come, although nothing was wrong.
    withheld: set[int] = field(default_factory=set)
    # How often it turned out to be another folder than the one that was read.
    replaced: int = 0

    @property
    def waiting(self) -> int:
        """Return how many messages are still to be sent."""
        return self.listing.count(Mark.MISSING) if self.listing is not None else 0

    def fail(self, tally: Tally, reason: str) -> None:
        """Give up on this folder; the rest of the mailbox goes on."""
        if not self.failed:
            self.failed = True
            self.progress.state = FolderState.FAILED
            tally.refuse(self.progress.source, 0, 0, reason)
            tally.note(f"{self.progress.source}: {reason}")

    def tell_unlisted(self, tally: Tally) -> None:
        """Report what cannot even be named; it is skipped like any other message."""
        if self.unlisted and not self.failed:
            self.progress.failed += self.unlisted
            what = in_messages(self.unlisted)
            reason = f"The source counts {what} more than it tells about."
            tally.refuse(self.progress.source, 0, 0, reason)

    @property
    def under_way(self) -> bool:
        """Say whether some message is still to be sent, or to be answered."""
        if self.listing is None:
            return False
        marks = self.listing.marks
        return Mark.MISSING in marks or Mark.SENT in marks


@dataclass(slots=True)
class Target:
    """One folder of the destination, and the folders that go into it."""

    wire: bytes
    name: str
    exists: bool
    subscribed: bool
    parents: tuple[bytes, ...]
    # A plainer name, after those of the folders above it, if this one is refused.
    spare: tuple[str, ...] = ()
    jobs: list[Job] = field(default_factory=list)
    listing: Listing | None = None
    permanent_flags: frozenset[bytes] | None = None
    # Whether it was there when it was to be made, although nobody had listed it.
    found: bool = False
    # Whether it was made once more, after somebody had deleted or renamed it.
    again: bool = False

    def is_lost(self) -> bool:
        """Say whether it is to be made once more; a second time would be no use."""
        if self.exists and self.again:
            return False
        self.exists = self.subscribed = False
        self.listing, self.again = None, True
        return True

    @property
    def wanted(self) -> bool:
        """Say whether programs are to show it, as they do at the source."""
        return any(job.source.subscribed for job in self.jobs)

    def open_jobs(self) -> list[Job]:
        """Return the folders that nothing has gone wrong with."""
        return [job for job in self.jobs if not job.failed]


def words(refusal: Refused) -> str:
    return f"{refusal.message} {refusal.technical}".strip()


def plan(
    target: Target,
    targets: list[Target],
    tally: Tally,
    *,
    limit: int | None,
    most_a_day: int | None = None,
) -> None:
    """Mark what is missing of a folder at the destination, and count.

    `targets` are all there are, for a folder that holds what lies in the others.
    """
    jobs = target.open_jobs()
    listings = [job.listing for job in jobs if job.listing is not None]
    present = find_present(listings, target.listing or Listing())
    for job, listing, found in zip(jobs, listings, present, strict=True):
        if job.everything:
            _look_elsewhere(job, listing, found, targets)
        for row, is_there in enumerate(found):
            _settle(job.progress, listing, row, is_there=bool(is_there))
        _refuse_large(job, listing, tally, limit, most_a_day)
        _count(job, listing, found)


def leave_out(job: Job, listing: Listing, row: int, reason: str, tally: Tally) -> None:
    """Give up on a message, and remember which one it was."""
    listing.marks[row] = Mark.FAILED
    job.progress.failed += 1
    tally.refuse(
        job.progress.source,
        listing.uids[row],
        listing.sizes[row],
        reason,
        listing.arrived_at(row),
    )


def _settle(
    progress: FolderProgress, listing: Listing, row: int, *, is_there: bool
) -> None:
    mark = listing.marks[row]
    if mark == Mark.UNKNOWN:
        listing.marks[row] = Mark.PRESENT if is_there else Mark.MISSING
        progress.already_there += is_there
    elif mark == Mark.MISSING and is_there:
        # Somebody else has brought it meanwhile.
        listing.marks[row] = Mark.PRESENT
        progress.already_there += 1
    elif mark == Mark.SENT:
        # The answer was lost with a connection, but now it can be seen.
        listing.marks[row] = Mark.CONFIRMED if is_there else Mark.MISSING
        if is_there:
            progress.copied += 1
            progress.bytes_copied += listing.sizes[row]


def _look_elsewhere(
    job: Job, listing: Listing, found: bytearray, targets: list[Target]
) -> None:
    """Count what some other folder brings along as present.

    It is one message with several labels there, so its size has to agree as well.
    """
    elsewhere = {
        it
        for target in targets
        for other in target.open_jobs()
        if other is not job and other.listing is not None
        for it in zip(other.listing.identities(), other.listing.sizes, strict=True)
    }
    both = zip(listing.identities(), listing.sizes, strict=True)
    for row, it in enumerate(both):
        if it in elsewhere:
            found[row] = 1


def _refuse_large(
    job: Job,
    listing: Listing,
    tally: Tally,
    limit: int | None,
    most_a_day: int | None,
) -> None:
    reasons = [
        (limit, "It is larger than the limit of {} bytes."),
        (most_a_day, "It is larger than all that may be copied in a day, {} bytes."),
    ]
    for most, reason in reasons:
        if most is None:
            continue
        for row in listing.rows(Mark.MISSING):
            if listing.sizes[row] > most:
                leave_out(job, listing, row, reason.format(thin(most)), tally)


def _count(job: Job, listing: Listing, found: bytearray) -> None:
    progress = job.progress
    progress.messages = len(listing)
    progress.bytes = listing.total_bytes
    progress.largest = max(listing.sizes, default=0)
    count_rest(job)
    job.unseen = sum(
        not is_there and mark != Mark.FAILED
        for is_there, mark in zip(found, listing.marks, strict=True)
    )


def count_rest(job: Job) -> None:
    """Count what is to be copied: what was, and what has not been given up since."""
    progress, listing = job.progress, job.listing
    if listing is None:
        return
    rest = [*listing.rows(Mark.MISSING), *listing.rows(Mark.SENT)]
    progress.to_copy = progress.copied + len(rest)
    progress.bytes_to_copy = progress.bytes_copied + sum(
        listing.sizes[row] for row in rest
    )
