"""How far a batch is, computed in a constant number of queries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from operator import add
from typing import Any, ClassVar

from django.apps.registry import Apps
from django.db import models
from django.db.models import (
    Case,
    Count,
    F,
    IntegerField,
    Max,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Greatest
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.figures import thin
from purelymanage.migrations import estimates
from purelymanage.migrations.engines.base import Phase
from purelymanage.migrations.job_states import (
    BY_PLACE,
    LIVE,
    MOVING,
    SETTLED,
    STATES,
    TROUBLED,
    JobState,
    with_place_and_runs,
    with_state,
)
from purelymanage.migrations.models import Job, Run
from purelymanage.migrations.models.jobs import JobQuerySet
from purelymanage.migrations.models.runs import OPEN, RunQuerySet, Scope, scope_of
from purelymanage.migrations.plans import GB, PRICE_OF_A_GB
from purelymanage.migrations.state_lists import Segment, segments_of
from purelymanage.migrations.together import Together
from purelymanage.prepared import KeptRows, Prepared, Slot, for_keys, key_slots

# The phases in which both sides of a mailbox have been looked at.
LOOKED = [Phase.COPYING.value, Phase.COMPARING.value, Phase.DONE.value]
A_FEW = 10  # batches
WRITTEN_TOTALS = re.compile(r"-?[0-9]{1,18}(\.-?[0-9]{1,18}){4}")


@dataclass(frozen=True, slots=True)
class Totals:
    """What there is at the source and, of that, at the destination."""

    messages: int = 0
    bytes: int = 0
    there: int = 0
    bytes_there: int = 0
    # What open copies still have before them, as far as it is known.
    bytes_left: int = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(*map(add, astuple(self), astuple(other)))

    def __str__(self) -> str:
        """Written for the page, which sends it along when it asks for news."""
        return ".".join(map(str, astuple(self)))

    @classmethod
    def read(cls, text: str) -> Totals | None:
        if not WRITTEN_TOTALS.fullmatch(text):
            return None
        return cls(*map(int, text.split(".")))


@dataclass(frozen=True)
class Moving:
    """What changes of a batch as long as no mailbox goes from one state to another."""

    # Of all that does not run.
    rest: Totals = field(default_factory=Totals)
    running: Sequence[Any] = ()  # see `_running`

    @property
    def is_live(self) -> bool:
        return True

    @property
    def is_finished(self) -> bool:
        return False

    @cached_property
    def totals(self) -> Totals:
        return sum(map(_seen, self.running), self.rest)

    @property
    def title(self) -> str:
        """How much is there by size, not before all have ended all of it."""
        if not self.totals.bytes:
            return ""
        return f"{min(99, int(100 * self.totals.bytes_there / self.totals.bytes))} %"

    @cached_property
    def pace(self) -> estimates.Pace:
        """All that runs, together."""
        paces = [
            estimates.pace(it.last_samples) for it in self.running if not it.dry_run
        ]
        return estimates.Pace(
            sum(it.messages for it in paces), sum(it.bytes for it in paces)
        )

    @property
    def bytes_a_second(self) -> int:
        return int(self.pace.bytes)

    @property
    def finishes_at(self) -> datetime | None:
        """When the copies under way have ended, at the present pace."""
        left = estimates.time_for(self.totals.bytes_left, self.pace)
        return None if left is None else timezone.now() + left

    @property
    def dollars_a_year(self) -> str:
        """What PurelyMail would ask if nothing were compressed."""
        return f"${PRICE_OF_A_GB * self.totals.bytes / GB:.2f}"

    @property
    def dollars_a_gigabyte(self) -> Decimal:
        return PRICE_OF_A_GB

    @property
    def slowest(self) -> tuple[Run, timedelta] | None:
        """Of several copies that run, the one with the longest time left."""
        left = [(it, estimates.time_left(it)) for it in self.running]
        known = [(run, time) for run, time in left if time is not None]
        return max(known, key=lambda it: it[1]) if len(known) > 1 else None

    @property
    def slowest_in_words(self) -> str:
        slowest = self.slowest
        return estimates.in_words(slowest[1]) if slowest is not None else ""


@dataclass(frozen=True)
class Figures(Moving):
    counts: dict[str, int] = field(default_factory=dict)

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
    def is_finished(self) -> bool:
        return self.done == self.total

    @property
    def asks_for_passwords(self) -> bool:
        return bool({"password", "not_let_in"} & set(self.counts))

    @property
    def segments(self) -> list[Segment[JobState]]:
        return segments_of(STATES, self.counts)

    @property
    def in_words(self) -> str:
        """The bar as a sentence for those who do not see it."""
        noun = "mailbox" if self.total == 1 else "mailboxes"
        parts = [f"{thin(it.count)} {it.state.label.lower()}" for it in self.segments]
        return f"{thin(self.total)} {noun}: {', '.join(parts)}"


def figures_of(user: User, batch: int) -> Figures:
    """Return how far a batch is, as far as `user` sees it. Takes two queries."""
    return figures_and_list(user, batch)[0]


def figures_and_list(
    user: User, batch: int, *lists: QuerySet[Any, Any]
) -> tuple[Figures, list[list[Any]]]:
    """Return as well what `lists` find among the `Mailboxes` of a batch, all in one."""
    scope = scope_of(user)
    groups, *found = Together(_GROUPS, *lists, over=_mailboxes(scope)).read(batch=batch)
    counts: dict[str, int] = {}
    rest = Totals()
    for place, goes_on, number, *sums, left in groups:
        state = BY_PLACE[place]
        counts[state.code] = counts.get(state.code, 0) + number
        if state.code not in MOVING:
            rest += Totals(*map(int, [*sums, left if goes_on else 0]))
    running = _running(scope).ask(batch=batch)
    return Figures(rest, running, counts), found


def moving_of(user: User, batch: int, rest: Totals) -> Moving:
    """Return what moves of a batch, beside the `rest` that does not, in one query."""
    return Moving(rest, _running(scope_of(user)).ask(batch=batch))


def _most(run: str) -> dict[str, Max]:
    """Return what was seen of a mailbox; `run` leads to its runs.

    The newest one may have begun to count only now, so that for each figure the run
    that has seen the most speaks for the mailbox.
    """
    looked = Q(**{f"{run}phase__in": LOOKED})
    copied = F(f"{run}already_there") + F(f"{run}copied")
    there = F(f"{run}bytes") - F(f"{run}bytes_to_copy") + F(f"{run}bytes_copied")
    return {
        "most": Max(f"{run}messages"),
        "most_bytes": Max(f"{run}bytes"),
        "most_there": Max(copied, filter=looked, default=0),
        "most_bytes_there": Max(there, filter=looked, default=0),
    }


class Mailboxes(models.Model):
    """The mailboxes of a batch, each with what its runs have come to: of no table.

    The database looks at all of them once, for the figures and for the list.
    """

    id = models.BigIntegerField(primary_key=True)
    number = models.PositiveIntegerField(null=True)
    destination = models.TextField()
    source_user = models.TextField()
    place = models.IntegerField()
    most = models.BigIntegerField()
    most_bytes = models.BigIntegerField()
    most_there = models.BigIntegerField()
    most_bytes_there = models.BigIntegerField()
    goes_on = models.IntegerField()

    objects: ClassVar[models.Manager[Mailboxes]] = models.Manager()

    class Meta:
        app_label = "migrations"
        # Nobody else is to know of it, migrations least of all.
        apps = Apps()
        managed = False
        db_table = "mailboxes"

    def __str__(self) -> str:
        return self.destination


_LEFT = Greatest(F("most_bytes") - F("most_bytes_there"), Value(0))
_GROUPS = Mailboxes.objects.values_list("place", "goes_on").annotate(
    count=Count("pk"),
    messages=Sum("most", default=0),
    bytes=Sum("most_bytes", default=0),
    there=Sum("most_there", default=0),
    bytes_there=Sum("most_bytes_there", default=0),
    bytes_left=Sum(_LEFT, default=0),
)


@lru_cache(maxsize=200)
def _mailboxes(scope: Scope) -> KeptRows:
    jobs: JobQuerySet = Job.objects.within(scope).present()
    is_open = Q(runs__is_newest=True, runs__dry_run=False, runs__state__in=OPEN)
    goes_on = Case(When(is_open, then=1), default=0, output_field=IntegerField())
    found = with_place_and_runs(jobs.filter(batch=Slot("batch"))).order_by()
    rows = found.annotate(**_most("runs__"), goes_on=Max(goes_on))
    columns = [it.attname for it in Mailboxes._meta.concrete_fields]
    return KeptRows(Mailboxes._meta.db_table, rows.values(*columns))


@lru_cache(maxsize=200)
def _running(scope: Scope) -> Prepared[Any]:
    """Ask for the copies that run, each with the most that was seen of its mailbox."""
    runs: RunQuerySet = Run.objects.within(scope).newest_of_present_jobs().running()
    mine = runs.filter(job__batch=Slot("batch")).in_a_list()
    return Prepared(mine.annotate(**_most("job__runs__")).order_by("pk"))


def _seen(run: Any) -> Totals:
    left = 0 if run.dry_run else max(0, run.most_bytes - run.most_bytes_there)
    most = run.most, run.most_bytes, run.most_there, run.most_bytes_there
    return Totals(*most, left)


def counts_of_batches(user: User, batches: Sequence[int]) -> dict[int, Figures]:
    """Return the counts of a few batches, as far as `user` sees them, in one query."""
    if not batches:
        return {}
    rows = _counts(scope_of(user)).ask(**for_keys(batches, A_FEW))
    found: dict[int, dict[str, int]] = {}
    for batch, code, count in rows:
        found.setdefault(batch, {})[code] = count
    return {batch: Figures(counts=counts) for batch, counts in found.items()}


@lru_cache(maxsize=200)
def _counts(scope: Scope) -> Prepared[Any]:
    jobs: JobQuerySet = Job.objects.within(scope).present()
    found = with_state(jobs.filter(batch__pk__in=key_slots(A_FEW))).order_by()
    return Prepared(found.values_list("batch", "state").annotate(Count("pk")))
