"""Pages of the audit log, read along the chain: as fast at its begin as at its end."""

from __future__ import annotations

from dataclasses import dataclass

from purelymanage.audit.models import Entry, EntryQuerySet

PER_PAGE = 50
# No index finds words within words, so one page looks through so many entries at most.
WINDOW = 500_000
COUNTED = 1_000


@dataclass(frozen=True, slots=True)
class EntryPage:
    """`before` and `after` are where the next older and newer page begin."""

    entries: list[Entry]
    before: int | None
    after: int | None
    # Where a search has stopped looking, if it did not come to the begin.
    stopped_at: Entry | None = None

    def __bool__(self) -> bool:
        return bool(self.entries)

    @property
    def oldest(self) -> Entry:
        return self.entries[-1]


def read_page(
    found: EntryQuerySet, *, words: str, before: int | None, after: int | None
) -> EntryPage:
    """Return the entries older than `before` or newer than `after`, newest first."""
    if after is not None:
        newer = found.filter(sequence__gt=after)
        if words:
            newer = newer.filter(sequence__lte=after + WINDOW).search(words)
        rows = list(newer.order_by("sequence")[: PER_PAGE + 1])
        if len(rows) > PER_PAGE:
            rows = rows[:PER_PAGE][::-1]
            return EntryPage(rows, before=rows[-1].sequence, after=rows[0].sequence)
        before = None  # the newest page, and it should be full

    end = before if before is not None else Entry.objects.head()[0] + 1
    older = found.filter(sequence__lt=end)
    floor = 0
    if words:
        floor = max(0, end - WINDOW)
        older = older.filter(sequence__gte=floor).search(words)
    rows = list(older.order_by("-sequence")[: PER_PAGE + 1])
    is_more = len(rows) > PER_PAGE
    rows = rows[:PER_PAGE]
    first = rows[0].sequence if rows else end - 1
    newest = first if before is not None else None
    if is_more:
        return EntryPage(rows, before=rows[-1].sequence, after=newest)
    if floor > 1:
        stopped = Entry.objects.filter(sequence=floor).first()
        return EntryPage(rows, before=floor, after=newest, stopped_at=stopped)
    return EntryPage(rows, before=None, after=newest)


def tally(found: EntryQuerySet, *, is_narrow: bool, is_limited: bool) -> int:
    """Return how many entries there are, counting to `COUNTED` at most.

    The chain has no gaps, so the number of its last entry is the number of all.
    """
    if not is_narrow and not is_limited:
        return Entry.objects.head()[0]
    return found.order_by("-sequence")[: COUNTED + 1].count()
