"""What the first page of migrations says, in a constant number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.migrations.batch_figures import A_FEW, Figures, counts_of_batches
from purelymanage.migrations.limits import rest_until
from purelymanage.migrations.models import Batch, QueueRules, Run
from purelymanage.migrations.models.runs import SHOWN, RunQuerySet, Scope, scope_of
from purelymanage.migrations.presentation import RunView
from purelymanage.migrations.waiting import why_waiting
from purelymanage.prepared import Prepared

MOST_RUNNING = 50
MOST_WAITING = 20

State, Verdict = Run.State, Run.Verdict
# What a finished copy may be asked for by, and the words for it.
ENDS: dict[str, tuple[str, Q]] = {
    "planned": ("Plan ready", Q(state=State.DONE, dry_run=True)),
    "complete": ("Complete", Q(dry_run=False, verdict=Verdict.COMPLETE)),
    "left_out": ("Some left out", Q(dry_run=False, verdict=Verdict.SKIPPED)),
    "password": (
        "Needs a password",
        Q(state=State.FAILED, trouble=Run.Trouble.PASSWORD),
    ),
    "failed": (
        "Failed",
        Q(state=State.FAILED) & ~Q(trouble=Run.Trouble.PASSWORD),
    ),
    "stopped": ("Stopped", Q(state=State.STOPPED)),
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """The first of those that wait, with why, and when the next one may begin."""

    rows: list[tuple[RunView, str]]
    number: int
    next_start: datetime | None


def newest(user: User, words: str = "") -> RunQuerySet:
    runs: RunQuerySet = Run.objects.visible_to(user)
    return runs.newest_of_present_jobs().search(words).select_related("job__server")


def running(user: User, words: str) -> list[RunView]:
    """Return the copies that run, and one more than are shown where there are more."""
    # Whoever searches has words of their own.
    found = _under_way(newest(user, words)) if words else _running(scope_of(user)).ask()
    return [RunView(run) for run in found]


def open_ones(user: User, most: int) -> list[RunView]:
    """Return copies that run or wait: what moves first, and the newest of those."""
    return [RunView(run) for run in _open(scope_of(user), most).ask()]


def waiting(runs: RunQuerySet, rules: QueueRules) -> Waiting:
    now = timezone.now()
    queued = runs.queued()
    facts = queued.aggregate(
        number=Count("pk"),
        free=Count(
            "pk",
            filter=_past("not_before", now)
            & _past("job__starts_at", now)
            & _past("job__batch__starts_at", now),
        ),
        retry_at=Min("not_before", filter=Q(not_before__gt=now)),
        job_at=Min("job__starts_at", filter=Q(job__starts_at__gt=now)),
        batch_at=Min("job__batch__starts_at", filter=Q(job__batch__starts_at__gt=now)),
    )
    first = list(
        queued.defer("log", "samples").order_by("queued_at", "pk")[:MOST_WAITING]
    )
    reasons = why_waiting(first)
    dates = [facts[it] for it in ("retry_at", "job_at", "batch_at") if facts[it]]
    # Those that only wait for a slot may begin any moment, unless the queue rests.
    next_start = None if facts["free"] else min(dates, default=None)
    rests = rest_until(rules.pause_from, rules.pause_until, now)
    if facts["number"] and rests:
        next_start = max(filter(None, [rests, next_start]))
    if rules.paused_at is not None:
        next_start = None
    rows = [(RunView(run), reasons.get(run.pk, "")) for run in first]
    return Waiting(rows, facts["number"], next_start)


def ended(runs: RunQuerySet, state: str) -> QuerySet[Any]:
    found = runs.settled()
    if state in ENDS:
        found = found.filter(ENDS[state][1])
    return found.only(*SHOWN).order_by("-finished_at", "-pk")


def batches(user: User) -> list[tuple[Batch, Figures]]:
    """Return the newest batches with what has become of their jobs."""
    mine = Batch.objects.visible_to(user).confirmed().select_related("server")
    found = list(mine.defer("sheet").order_by("-confirmed_at")[:A_FEW])
    figures = counts_of_batches(user, [it.pk for it in found])
    return [(it, figures[it.pk]) for it in found if it.pk in figures]


@lru_cache(maxsize=200)
def _running(scope: Scope) -> Prepared[Run]:
    return Prepared(_under_way(Run.objects.within(scope).newest_of_present_jobs()))


@lru_cache(maxsize=200)
def _open(scope: Scope, most: int) -> Prepared[Run]:
    runs = Run.objects.within(scope).open().in_a_list()
    # "running" sorts after "queued".
    return Prepared(runs.order_by("-state", "-queued_at")[:most])


def _under_way(runs: RunQuerySet) -> QuerySet[Run, Run]:
    found = runs.running().in_a_list().order_by("started_at", "pk")
    return found[: MOST_RUNNING + 1]


def _past(name: str, now: datetime) -> Q:
    return Q(**{name: None}) | Q(**{f"{name}__lte": now})
