"""The mailboxes of a batch as its page shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from django.db.models import QuerySet

from purelymanage.accounts.models import User
from purelymanage.migrations.job_states import (
    BY_CODE,
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
from purelymanage.prepared import Prepared, Slot

ASKS_FOR_PASSWORD = {"password", "not_let_in"}


@dataclass(frozen=True, slots=True)
class JobFilter(StateFilter):
    """Which mailboxes of a batch a person asks for."""

    known = BY_CODE.keys()
    columns = ("destination", "source_user")

    def narrow(self, jobs: JobQuerySet) -> QuerySet[Any]:
        """Return what it finds, with the state of each."""
        return self.narrow_stated(with_state(jobs))


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
