"""What lies in a folder, in a form that 200,000 messages fit into."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from enum import IntEnum

from purelymanage.imap.errors import ProtocolError
from purelymanage.imap.messages import Summary

from . import identity

# A server that lists on and on shall not fill the memory.
MOST = 5_000_000


class Mark(IntEnum):
    """Where a message of the source stands."""

    UNKNOWN = 0
    # Found at the destination before we sent it.
    PRESENT = 1
    MISSING = 2
    # Sent, and not answered yet; after a lost connection nobody knows.
    SENT = 3
    CONFIRMED = 4
    FAILED = 5


class Listing:
    """The messages of one folder, column by column, in ascending order of UID."""

    def __init__(self, *, since: date | None = None) -> None:
        self.uid_validity = 0
        self._since = since
        # Messages that arrived earlier: known, but of no interest.
        self._older = array("L")
        self.uids = array("L")
        self.sizes = array("Q")
        self.dates = array("q")
        self.marks = bytearray()
        self._keys = bytearray()
        # Few sets of flags are different, so each message has the number of one.
        self._flags = array("L")
        self._flag_sets: dict[frozenset[bytes], int] = {}
        # Messages whose identity takes a second look, by UID.
        self.unidentified: set[int] = set()

    def __len__(self) -> int:
        return len(self.uids)

    @property
    def seen(self) -> int:
        """Return how many messages the folder has, with those that do not count."""
        return len(self.uids) + len(self._older)

    @property
    def last_uid(self) -> int:
        return max(_last(self.uids), _last(self._older))

    @property
    def total_bytes(self) -> int:
        return sum(self.sizes)

    def add(self, summary: Summary) -> None:
        """Take one message in; what is known already is left as it is."""
        if self._since is not None and summary.day and summary.day < self._since:
            place = bisect_left(self._older, summary.uid)
            if self._older[place : place + 1] != array("L", [summary.uid]):
                self._older.insert(place, summary.uid)
            return
        row = len(self)
        if row >= MOST:
            raise ProtocolError("The server lists more messages than a folder has.")
        if summary.uid <= _last(self.uids):
            # Servers list in order, but none of them promised to.
            row = bisect_left(self.uids, summary.uid)
            if self.uids[row] == summary.uid:
                return
        key = identity.strong_key(summary.header)
        if key is None:
            self.unidentified.add(summary.uid)
            key = identity.weak_key(b"")
        self.uids.insert(row, summary.uid)
        self.sizes.insert(row, summary.size)
        self.dates.insert(row, summary.received)
        self.marks.insert(row, Mark.UNKNOWN)
        known = self._flag_sets
        self._flags.insert(row, known.setdefault(summary.flags, len(known)))
        start = row * identity.LENGTH
        self._keys[start:start] = key

    def identify(self, summary: Summary) -> None:
        """Give a message without a strong key the best one it can have."""
        if summary.uid in self.unidentified:
            self.unidentified.discard(summary.uid)
            row = self.row(summary.uid)
            start = row * identity.LENGTH
            self._keys[start : start + identity.LENGTH] = identity.weak_key(
                summary.header
            )

    def row(self, uid: int) -> int:
        """Return where a listed message stands."""
        return bisect_left(self.uids, uid)

    def arrived_at(self, row: int) -> datetime | None:
        """Return when a message arrived at the source, if the server knows."""
        seconds = self.dates[row]
        try:
            return datetime.fromtimestamp(seconds, UTC) if seconds else None
        except (ValueError, OverflowError):
            # Before the year 1 in our time zone.
            return None

    def key(self, row: int) -> bytes:
        start = row * identity.LENGTH
        return bytes(self._keys[start : start + identity.LENGTH])

    def flags(self) -> list[frozenset[bytes]]:
        """Return the flags that each message had when it was listed."""
        sets = list(self._flag_sets)
        return [sets[number] for number in self._flags]

    def identities(self) -> Iterable[bytes]:
        return map(self.key, range(len(self)))

    def some_identities(self, share: int, shares: int) -> Iterator[tuple[int, bytes]]:
        """Return rows and keys of about one in so many messages.

        Messages of one identity always belong to the same share.
        """
        lasts = self._keys[identity.LENGTH - 1 :: identity.LENGTH]
        for row, last in enumerate(lasts):
            if last % shares == share:
                yield row, self.key(row)

    def is_left_out(self, row: int) -> bool:
        return self.marks[row] == Mark.FAILED

    def rows(self, mark: Mark) -> list[int]:
        return [row for row, found in enumerate(self.marks) if found == mark]

    def count(self, mark: Mark) -> int:
        return self.marks.count(mark)

    def remember(self, earlier: Listing) -> None:
        """Take over what was known of the same messages when they were read before."""
        if earlier.uid_validity == self.uid_validity:
            known = dict(zip(earlier.uids, earlier.marks, strict=True))
            for row, uid in enumerate(self.uids):
                self.marks[row] = known.get(uid, Mark.UNKNOWN)


def _last(uids: Sequence[int]) -> int:
    return uids[-1] if uids else 0
