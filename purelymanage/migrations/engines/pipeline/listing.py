"""What lies in a folder, in a form that 200,000 messages fit into."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from enum import IntEnum

from purelymanage.imap.messages import Summary

from . import identity


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
        if summary.uid <= _last(self.uids):
            # Servers list in order, but none of them promised to.
            row = bisect_left(self.uids, summary.uid)
            if self.uids[row] == summary.uid:
                return
        key = identity.strong_key(summary.header)
        if key is None:
            self.unidentified.add(summary.uid)
            key = identity.weak_key(b"", summary.size, summary.received)
        self.uids.insert(row, summary.uid)
        self.sizes.insert(row, summary.size)
        self.dates.insert(row, summary.received)
        self.marks.insert(row, Mark.UNKNOWN)
        start = row * identity.LENGTH
        self._keys[start:start] = key

    def identify(self, summary: Summary) -> None:
        """Give a message without a strong key the best one it can have."""
        if summary.uid in self.unidentified:
            self.unidentified.discard(summary.uid)
            row = self.row(summary.uid)
            start = row * identity.LENGTH
            self._keys[start : start + identity.LENGTH] = identity.weak_key(
                summary.header, self.sizes[row], self.dates[row]
            )

    def row(self, uid: int) -> int:
        """Return where a listed message stands."""
        return bisect_left(self.uids, uid)

    def arrived_at(self, row: int) -> datetime | None:
        """Return when a message arrived at the source, if the server knows."""
        seconds = self.dates[row]
        return datetime.fromtimestamp(seconds, UTC) if seconds else None

    def key(self, row: int) -> bytes:
        start = row * identity.LENGTH
        return bytes(self._keys[start : start + identity.LENGTH])

    def identities(self) -> Iterable[bytes]:
        return map(self.key, range(len(self)))

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


def find_present(sources: Sequence[Listing], there: Listing) -> list[bytearray]:
    """Return for each listing which of its rows have a counterpart in `there`.

    Both sides are multisets: two messages with one identity need two counterparts.
    Where there are too few of them, those that agree in size and date come first, so
    that the message left over is the one that really is missing.
    """
    present = [bytearray(len(source)) for source in sources]
    # One table for both sides: of 200,000 messages a second one would not fit.
    spare = Counter(there.identities())
    for source in sources:
        for key in source.identities():
            if key in spare:
                spare[key] -= 1
    scarce: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
    for number, source in enumerate(sources):
        for row, key in enumerate(source.identities()):
            left = spare.get(key)
            if left is None:
                continue
            if left >= 0:
                present[number][row] = 1
            else:
                scarce[key].append((number, row))
    if scarce:
        counterparts: dict[bytes, list[int]] = defaultdict(list)
        for row, key in enumerate(there.identities()):
            if key in scarce:
                counterparts[key].append(row)
        for key, rows in scarce.items():
            for number, row, _ in _pair(sources, rows, there, counterparts[key]):
                present[number][row] = 1
    return present


def find_pairs(
    sources: Sequence[Listing], there: Listing
) -> list[list[tuple[int, int]]]:
    """Return for each listing which of its rows is which one of `there`."""
    pairs: list[list[tuple[int, int]]] = [[] for _ in sources]
    match_of = {key: row for row, key in enumerate(there.identities())}
    # How many rows would like to have the same counterpart.
    rivals = array("L", bytes(array("L").itemsize * len(there)))
    for source in sources:
        for key in source.identities():
            if key in match_of:
                rivals[match_of[key]] += 1
    doubled = {
        key
        for row, key in enumerate(there.identities())
        if match_of[key] != row or rivals[row] > 1
    }
    wanted: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
    for number, source in enumerate(sources):
        for row, key in enumerate(source.identities()):
            if key in doubled:
                wanted[key].append((number, row))
            elif key in match_of:
                pairs[number].append((row, match_of[key]))
    counterparts: dict[bytes, list[int]] = defaultdict(list)
    for row, key in enumerate(there.identities()):
        if key in doubled:
            counterparts[key].append(row)
    for key, rows in wanted.items():
        for number, row, match in _pair(sources, rows, there, counterparts[key]):
            pairs[number].append((row, match))
    return pairs


def _pair(
    sources: Sequence[Listing],
    rows: list[tuple[int, int]],
    there: Listing,
    counterparts: list[int],
) -> list[tuple[int, int, int]]:
    """Pair each counterpart with the row most like it: listing, row, counterpart."""
    left, free = list(rows), list(counterparts)
    paired: list[tuple[int, int, int]] = []
    for with_size, with_date in ((True, True), (True, False), (False, True)):
        by_trait: dict[tuple[int, int], list[int]] = defaultdict(list)
        for row in reversed(free):
            trait = _trait(there, row, with_size=with_size, with_date=with_date)
            by_trait[trait].append(row)
        still_left = []
        for number, row in left:
            source = sources[number]
            trait = _trait(source, row, with_size=with_size, with_date=with_date)
            if by_trait[trait]:
                match = by_trait[trait].pop()
                free.remove(match)
                paired.append((number, row, match))
            else:
                still_left.append((number, row))
        left = still_left
    rest = zip(left, free, strict=False)
    return paired + [(number, row, match) for (number, row), match in rest]


def _trait(
    listing: Listing, row: int, *, with_size: bool, with_date: bool
) -> tuple[int, int]:
    return (
        listing.sizes[row] if with_size else -1,
        listing.dates[row] if with_date else -1,
    )
