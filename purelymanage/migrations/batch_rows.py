"""The mailboxes of a batch as its page shows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, QuerySet, Value

from purelymanage.accounts.models import User
from purelymanage.migrations.batch_figures import (
    Figures,
    Mailboxes,
    figures_and_list,
)
from purelymanage.migrations.job_states import (
    A_RANK,
    BY_CODE,
    BY_PLACE,
    OPEN_STATES,
    JobState,
    with_state,
)
from purelymanage.migrations.models import Job, Run
from purelymanage.migrations.models.jobs import JobQuerySet
from purelymanage.migrations.models.runs import Scope, scope_of
from purelymanage.migrations.presentation import RunView
from purelymanage.migrations.state_lists import StateFilter
from purelymanage.migrations.waiting import why_waiting
from purelymanage.prepared import Prepared, Slot, for_keys, key_slots

# As the address of a page says it; nothing has a million pages.
NUMBER = re.compile(r"[1-9][0-9]{0,5}")
# What lists show of a job, beside its newest run.
SHOWN = [
    *("destination", "source_user", "login_words", "hand_over__viewed_at"),
    *("hand_over__withdrawn_at", "hand_over__expires_at"),
    "hand_over__mailbox__gone_at",
]
ASKS_FOR_PASSWORD = {"password", "not_let_in"}


@dataclass(frozen=True, slots=True)
class JobFilter(StateFilter):
    """Which mailboxes of a batch a person asks for."""

    known = BY_CODE.keys()
    columns = ("destination", "source_user")

    def narrow(self, jobs: JobQuerySet) -> QuerySet[Any]:
        """Return what it finds, with the state of each."""
        return self.narrow_stated(with_state(jobs))

    def among(self, mailboxes: QuerySet[Mailboxes]) -> QuerySet[Any]:
        found = replace(self, state="").narrow_stated(mailboxes)
        return found.filter(place=BY_CODE[self.state].place) if self.state else found


@dataclass(frozen=True)
class JobRow:
    job: Job
    state: JobState
    run: Run | None = None
    why: str = ""

    @cached_property
    def view(self) -> RunView | None:
        return RunView(self.run) if self.run is not None else None

    @property
    def words(self) -> str:
        """What was said about it, where the state alone does not tell."""
        if self.why:
            return self.why
        if self.run is not None and self.state.code in {"failed", "password"}:
            return self.run.failure
        return "" if self.state.code in OPEN_STATES else self.job.login_words

    @property
    def is_said_alone(self) -> bool:
        """Nothing was counted, so the words may have the room of the figures."""
        return bool(self.words) and not (self.run and self.run.messages)

    @property
    def has_open_link(self) -> bool:
        """Whether the owner of a mailbox that was created still needs the password."""
        return self.job.hand_over is not None and self.job.hand_over.is_open

    @property
    def asks_for_password(self) -> bool:
        return self.state.code in ASKS_FOR_PASSWORD

    @property
    def may_be_retried(self) -> bool:
        return self.state.code in {"failed", "stopped"}

    @property
    def may_be_tried(self) -> bool:
        return self.state.code == "no_answer"


def figures_and_page(
    user: User, batch: int, *, chosen: JobFilter, number: str, length: int
) -> tuple[Figures, Page[Any]]:
    """Return figures of a batch and a page of its mailboxes, each with its `state`.

    What is not finished comes first, then as in the file.
    """
    found = chosen.among(Mailboxes.objects.all())
    ordered = found.order_by(F("place") / A_RANK, "number", "pk")
    in_all = found.annotate(one=Value(1)).values_list("one").annotate(Count("pk"))
    lists = [in_all] if chosen.words else []
    wanted = int(number) if NUMBER.fullmatch(number) else 1
    while True:
        start = length * (wanted - 1)
        some = ordered.values_list("pk", "place")[start : start + length]
        figures, (keys, *counted) = figures_and_list(user, batch, some, *lists)
        pages: Paginator[Any] = Paginator((), length)
        pages.count = figures.counts.get(chosen.state, 0) if chosen else figures.total
        if counted:
            pages.count = sum(count for _, count in counted[0])
        page = pages.get_page(number)
        if page.number == wanted:
            page.object_list = _jobs_of(keys, length)
            return figures, page
        wanted = page.number  # there are not as many


def _jobs_of(keys: list[tuple[int, int]], length: int) -> list[Any]:
    jobs = _some(length).ask(**for_keys([pk for pk, _ in keys], length))
    by_key: dict[int, Any] = {it.pk: it for it in jobs}
    # One may have been erased since.
    found = [(by_key[pk], place) for pk, place in keys if pk in by_key]
    for job, place in found:
        job.state = BY_PLACE[place].code
    return [job for job, _ in found]


@cache
def _some(length: int) -> Prepared[Job]:
    jobs = Job.objects.filter(pk__in=key_slots(length))
    return Prepared(jobs.select_related("hand_over__mailbox").only(*SHOWN))


def rows_of(jobs: Sequence[Any]) -> list[JobRow]:
    """Return rows for jobs `with_state`, in a constant number of queries."""
    newest = Run.objects.newest_of_jobs().filter(job__in=[it.pk for it in jobs])
    runs = {it.job_id: it for it in newest.defer("log")}
    reasons = why_waiting(list(runs.values()))
    rows = []
    for job in jobs:
        run = runs.get(job.pk)
        why = reasons.get(run.pk, "") if run is not None else ""
        rows.append(JobRow(job, BY_CODE[job.state], run, why))
    return rows


def oldest_failure(user: User, batch: int) -> JobRow | None:
    """Return what failed first of a batch and was not looked after since."""
    run = _oldest_failure(scope_of(user)).first(batch=batch)
    return JobRow(run.job, BY_CODE["failed"], run) if run is not None else None


@lru_cache(maxsize=200)
def _oldest_failure(scope: Scope) -> Prepared[Run]:
    jobs: JobQuerySet = Job.objects.within(scope).present()
    failed = with_state(jobs.filter(batch=Slot("batch")))
    failed = failed.filter(newest__state=Run.State.FAILED)
    failed = failed.filter(state__in=["failed", "password"])
    pk = failed.order_by("newest__finished_at").values("newest__pk")[:1]
    found = Run.objects.filter(pk__in=pk).select_related("job")
    return Prepared(found.defer("log", "samples"))


def moving_rows(runs: Iterable[Run]) -> list[JobRow]:
    """Return the rows that change while one looks."""
    return [
        JobRow(run.job, BY_CODE["planning" if run.dry_run else "copying"], run)
        for run in runs
    ]
