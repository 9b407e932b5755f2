"""How far a batch is, computed in a constant number of queries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property

from django.db.models import Case, Count, F, IntegerField, Max, Q, Sum, Value, When
from django.db.models.functions import Greatest
from django.utils import timezone

from purelymanage.figures import thin
from purelymanage.migrations import estimates
from purelymanage.migrations.engines.base import Phase
from purelymanage.migrations.job_states import (
    BY_CODE,
    LIVE,
    SETTLED,
    STATES,
    TROUBLED,
    JobState,
    with_state,
)
from purelymanage.migrations.models import Run
from purelymanage.migrations.models.jobs import JobQuerySet
from purelymanage.migrations.models.runs import OPEN, RunQuerySet
from purelymanage.migrations.plans import GB, PRICE_OF_A_GB

# The phases in which both sides of a mailbox have been looked at.
LOOKED = [Phase.COPYING.value, Phase.COMPARING.value, Phase.DONE.value]


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the bar; `start` and `width` in percent."""

    state: JobState
    count: int
    start: str
    width: str


@dataclass(frozen=True, slots=True)
class Totals:
    """What there is at the source and, of that, at the destination."""

    messages: int = 0
    bytes: int = 0
    there: int = 0
    bytes_there: int = 0
    # What open copies still have before them, as far as it is known.
    bytes_left: int = 0


@dataclass(frozen=True)
class Figures:
    counts: dict[str, int]
    totals: Totals = field(default_factory=Totals)
    running: Sequence[Run] = ()

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        return sum(self.counts.get(code, 0) for code in SETTLED)

    @property
    def troubled(self) -> int:
        """Those that go no further unless somebody does something."""
        return sum(self.counts.get(code, 0) for code in TROUBLED)

    @property
    def is_live(self) -> bool:
        return any(self.counts.get(code) for code in LIVE)

    @property
    def percent(self) -> int | None:
        """How much is there by size, and a hundred only when all have been compared."""
        if self.total and self.done == self.total:
            return 100
        if not self.totals.bytes:
            return None
        return min(99, int(100 * self.totals.bytes_there / self.totals.bytes))

    @property
    def title(self) -> str:
        percent = self.percent
        return "" if percent is None or not self.is_live else f"{percent} %"

    @property
    def segments(self) -> list[Segment]:
        found, start = [], 0.0
        for state in STATES:
            if not (count := self.counts.get(state.code, 0)):
                continue
            width = 100 * count / self.total
            found.append(Segment(state, count, f"{start:.3f}%", f"{width:.3f}%"))
            start += width
        return found

    @property
    def in_words(self) -> str:
        """The bar as a sentence for those who do not see it."""
        noun = "mailbox" if self.total == 1 else "mailboxes"
        parts = [f"{thin(it.count)} {it.state.label.lower()}" for it in self.segments]
        return f"{thin(self.total)} {noun}: {', '.join(parts)}"

    @cached_property
    def pace(self) -> estimates.Pace:
        """All that runs, together."""
        paces = [estimates.pace(it.samples) for it in self.running if not it.dry_run]
        return estimates.Pace(
            sum(it.messages for it in paces), sum(it.bytes for it in paces)
        )

    @property
    def bytes_a_second(self) -> int:
        return int(self.pace.bytes)

    @property
    def finishes_at(self) -> datetime | None:
        """When the copies under way have ended, at the present pace."""
        if self.pace.bytes <= 0:
            return None
        seconds = self.totals.bytes_left / self.pace.bytes
        return timezone.now() + timedelta(seconds=seconds)

    @property
    def dollars_a_year(self) -> str:
        """What PurelyMail would ask if nothing were compressed."""
        return f"${PRICE_OF_A_GB * self.totals.bytes / GB:.2f}"

    @property
    def dollars_a_gigabyte(self) -> Decimal:
        return PRICE_OF_A_GB

    @property
    def asks_for_passwords(self) -> bool:
        return bool({"password", "not_let_in"} & set(self.counts))

    @property
    def slowest_in_words(self) -> str:
        slowest = self.slowest
        return estimates.in_words(slowest[1]) if slowest is not None else ""

    @property
    def slowest(self) -> tuple[Run, timedelta] | None:
        """Of several copies that run, the one with the longest time left."""
        left = [(it, estimates.time_left(it)) for it in self.running]
        known = [(run, time) for run, time in left if time is not None]
        return max(known, key=lambda it: it[1]) if len(known) > 1 else None

    @property
    def mark(self) -> str:
        """Changes whenever a mailbox goes from one state to another."""
        seen = [sorted(self.counts.items()), sorted(it.pk for it in self.running)]
        return hashlib.sha256(repr(seen).encode()).hexdigest()[:12]


def figures_of(jobs: JobQuerySet, runs: RunQuerySet) -> Figures:
    """Return how far `jobs` are; `runs` are all of theirs. Takes two queries."""
    counts, totals = _counted(jobs)
    running = runs.running().filter(is_newest=True)
    return Figures(
        counts=counts,
        totals=totals,
        running=list(
            running.select_related("job__server").defer("log").order_by("pk")[:200]
        ),
    )


def _counted(jobs: JobQuerySet) -> tuple[dict[str, int], Totals]:
    """Return how many of `jobs` are in which state, and the sums over them.

    The newest run of a job may have begun to count only now, so that for each figure
    the run that has seen the most speaks for the job.
    """
    looked = Q(runs__phase__in=LOOKED)
    is_open = Q(runs__is_newest=True, runs__dry_run=False, runs__state__in=OPEN)
    copied = F("runs__already_there") + F("runs__copied")
    there = F("runs__bytes") - F("runs__bytes_to_copy") + F("runs__bytes_copied")
    seen = (
        with_state(jobs)
        .order_by()
        .annotate(
            most=Max("runs__messages"),
            most_bytes=Max("runs__bytes"),
            most_there=Max(copied, filter=looked, default=0),
            most_bytes_there=Max(there, filter=looked, default=0),
            goes_on=Max(
                Case(When(is_open, then=1), default=0, output_field=IntegerField())
            ),
        )
    )
    left = Greatest(F("most_bytes") - F("most_bytes_there"), Value(0))
    found = seen.aggregate(
        messages=Sum("most", default=0),
        bytes=Sum("most_bytes", default=0),
        there=Sum("most_there", default=0),
        bytes_there=Sum("most_bytes_there", default=0),
        bytes_left=Sum(left, filter=Q(goes_on=1), default=0),
        **{f"in_{code}": Count("pk", filter=Q(state=code)) for code in BY_CODE},
    )
    counts = {code: found.pop(f"in_{code}") for code in BY_CODE}
    totals = Totals(**{name: int(value) for name, value in found.items()})
    return {code: count for code, count in counts.items() if count}, totals


def counts_of_batches(jobs: JobQuerySet, batches: Iterable[int]) -> dict[int, Figures]:
    """Return the counts of several batches, in one query."""
    rows = (
        with_state(jobs.filter(batch__in=list(batches)))
        .order_by()
        .values_list("batch", "state")
        .annotate(Count("pk"))
    )
    found: dict[int, dict[str, int]] = {}
    for batch, code, count in rows:
        found.setdefault(batch, {})[code] = count
    return {batch: Figures(counts) for batch, counts in found.items()}
