"""The mailboxes of a batch as its page shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict

from purelymanage.migrations.job_states import (
    BY_CODE,
    OPEN_STATES,
    JobState,
    with_state,
)
from purelymanage.migrations.models import Job, Run
from purelymanage.migrations.models.jobs import JobQuerySet
from purelymanage.migrations.presentation import RunView
from purelymanage.migrations.waiting import why_waiting

LONGEST_SEARCH = 200
ASKS_FOR_PASSWORD = {"password", "not_let_in"}


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which mailboxes of a batch a person asks for, as the address of the page says."""

    words: str = ""
    state: str = ""

    @classmethod
    def read(cls, data: QueryDict) -> Self:
        words = data.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
        state = data.get("state", "")
        return cls(words, state if state in BY_CODE else "")

    def __bool__(self) -> bool:
        return bool(self.words or self.state)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        found = [("q", self.words), ("state", self.state)]
        return [(name, value) for name, value in found if value]

    @property
    def query(self) -> str:
        return urlencode(self.pairs)

    def narrow(self, jobs: JobQuerySet) -> QuerySet[Any]:
        """Return what it finds, with the state of each."""
        found = with_state(jobs)
        for word in self.words.split():
            found = found.filter(
                Q(destination__icontains=word) | Q(source_user__icontains=word)
            )
        return found.filter(state=self.state) if self.state else found


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


def oldest_failure(jobs: JobQuerySet) -> JobRow | None:
    """Return what failed first and was not looked after since."""
    failed = with_state(jobs).filter(state__in=["failed", "password"])
    pk = failed.order_by("newest__finished_at").values_list("newest__pk", flat=True)
    run = Run.objects.filter(pk__in=pk[:1]).select_related("job").defer("log").first()
    return JobRow(run.job, BY_CODE["failed"], run) if run is not None else None


def moving_rows(runs: Iterable[Run]) -> list[JobRow]:
    """Return the rows that change while one looks."""
    return [
        JobRow(run.job, BY_CODE["planning" if run.dry_run else "copying"], run)
        for run in runs
    ]
