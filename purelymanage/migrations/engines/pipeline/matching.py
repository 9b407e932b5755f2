"""Which messages of the source lie at the destination already.

Both sides are multisets: two messages with one identity need two counterparts.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from . import identity
from .listing import Listing


def find_present(sources: Sequence[Listing], there: Listing) -> list[bytearray]:
    """Return for each listing which of its rows have a counterpart in `there`.

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
    unclear: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
    for number, source in enumerate(sources):
        for row, key in enumerate(source.identities()):
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
    unclear = {
        key
        for row, key in enumerate(there.identities())
        if match_of[key] != row or rivals[row] > 1 or identity.is_weak(key)
    }
    wanted: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
    for number, source in enumerate(sources):
        for row, key in enumerate(source.identities()):
            if key in unclear:
                wanted[key].append((number, row))
            elif key in match_of:
                pairs[number].append((row, match_of[key]))
    for number, row, match in _pair_all(sources, wanted, there):
        pairs[number].append((row, match))
    return pairs


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
