"""Which messages of the source lie at the destination already.

Both sides are multisets: two messages with one identity need two counterparts.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from . import identity
from .listing import Listing

# Messages that are compared at a time, more or less.
IN_ONE_STEP = 25_000


def find_present(sources: Sequence[Listing], there: Listing) -> list[bytearray]:
    """Return for each listing which of its rows have a counterpart in `there`.

    Where there are too few of them, those that agree in size and date come first, so
    that the message left over is the one that really is missing.
    """
    present = [bytearray(len(source)) for source in sources]
    shares = _shares(sources, there)
    for share in range(shares):
        spare = Counter(key for _, key in there.some_identities(share, shares))
        wanted = [list(source.some_identities(share, shares)) for source in sources]
        for rows in wanted:
            for _, key in rows:
                if key in spare:
                    spare[key] -= 1
        unclear: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
        for number, rows in enumerate(wanted):
            for row, key in rows:
                left = spare.get(key)
                if left is None:
                    continue
                if left >= 0 and not identity.is_weak(key):
                    present[number][row] = 1
                else:
                    unclear[key].append((number, row))
        if unclear:
            for number, row, _ in _pair_all(sources, unclear, there):
                present[number][row] = 1
    return present


class Pairs:
    """Rows of a listing of the source, each with its counterpart's."""

    def __init__(self) -> None:
        self._rows = array("L")
        self._matches = array("L")

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._rows, self._matches, strict=True)

    def add(self, row: int, match: int) -> None:
        self._rows.append(row)
        self._matches.append(match)


def find_pairs(sources: Sequence[Listing], there: Listing) -> list[Pairs]:
    """Return for each listing which of its rows is which one of `there`."""
    pairs = [Pairs() for _ in sources]
    shares = _shares(sources, there)
    for share in range(shares):
        match_of: dict[bytes, int] = {}
        unclear: set[bytes] = set()
        for row, key in there.some_identities(share, shares):
            if key in match_of or identity.is_weak(key):
                unclear.add(key)
            match_of[key] = row
        seen: set[bytes] = set()
        wanted = [list(source.some_identities(share, shares)) for source in sources]
        for rows in wanted:
            for _, key in rows:
                if key in seen:
                    unclear.add(key)
                seen.add(key)
        open_: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
        for number, rows in enumerate(wanted):
            for row, key in rows:
                if key not in match_of:
                    continue
                if key in unclear:
                    open_[key].append((number, row))
                else:
                    pairs[number].add(row, match_of[key])
        if open_:
            for number, row, match in _pair_all(sources, open_, there):
                pairs[number].add(row, match)
    return pairs


def _shares(sources: Sequence[Listing], there: Listing) -> int:
    """Return in how many steps to compare, as tables take five times what they hold."""
    return 1 + max(map(len, [*sources, there])) // IN_ONE_STEP


def _pair_all(
    sources: Sequence[Listing],
    wanted: dict[bytes, list[tuple[int, int]]],
    there: Listing,
) -> Iterator[tuple[int, int, int]]:
    counterparts: dict[bytes, list[int]] = defaultdict(list)
    for row, key in enumerate(there.identities()):
        if key in wanted:
            counterparts[key].append(row)
    for key, rows in wanted.items():
        yield from _pair(
            sources, rows, there, counterparts[key], weak=identity.is_weak(key)
        )


def _pair(
    sources: Sequence[Listing],
    rows: list[tuple[int, int]],
    there: Listing,
    counterparts: list[int],
    *,
    weak: bool,
) -> Iterator[tuple[int, int, int]]:
    """Pair each counterpart with the row most like it: listing, row, counterpart.

    Where only little is known of a message, its size or its date has to agree. Not
    both: some servers end lines in their own way, and some forget dates.
    """
    left, free = list(rows), list(counterparts)
    for with_size, with_date in ((True, True), (True, False), (False, True)):
        by_trait: dict[tuple[int, int], list[int]] = defaultdict(list)
        for row in reversed(free):
            trait = _trait(there, row, with_size=with_size, with_date=with_date)
            by_trait[trait].append(row)
        still_left, taken = [], set()
        for number, row in left:
            trait = _trait(
                sources[number], row, with_size=with_size, with_date=with_date
            )
            if by_trait[trait]:
                match = by_trait[trait].pop()
                taken.add(match)
                yield number, row, match
            else:
                still_left.append((number, row))
        left, free = still_left, [row for row in free if row not in taken]
    if not weak:
        for (number, row), match in zip(left, free, strict=False):
            yield number, row, match


def _trait(
    listing: Listing, row: int, *, with_size: bool, with_date: bool
) -> tuple[int, int]:
    return (
        listing.sizes[row] if with_size else -1,
        listing.dates[row] if with_date else -1,
    )
