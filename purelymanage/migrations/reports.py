"""The report of a batch: one line for each mailbox, and for each item left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from purelymanage.migrations.job_states import BY_CODE, JobState, in_order, with_state
from purelymanage.migrations.models import Job, Run, RunError
from purelymanage.migrations.models.jobs import JobQuerySet
from purelymanage.sheets import writing

AT_ONCE = 500
HEADER = [
    "To",
    "From",
    "Server",
    "State",
    "Verdict",
    "Planned",
    "Copied",
    "Already there",
    "Failed",
    "Bytes copied",
    "Began",
    "Ended",
    "What was said",
    "Folder",
    "UID",
    "Size",
    "Arrived",
    "Reason",
]
ITEM_COLUMNS = 5
# What a line tells of a run, and what is told of an item.
OF_RUNS = [
    *("job", "dry_run", "verdict", "failure", "started_at", "finished_at"),
    *("messages", "to_copy", "copied", "copied_earlier", "already_there", "failed"),
    *("bytes_copied", "bytes_copied_earlier"),
]
OF_ITEMS = [
    *("folder", "uid", "size", "arrived_at", "reason"),
    *("run__job__destination", "run__job__source_user"),
]


@dataclass(frozen=True, slots=True)
class Line:
    """A mailbox, and its newest run if there is any."""

    job: Job
    state: JobState
    run: Run | None

    @property
    def verdict(self) -> str:
        """What both sides were found to be; a plan has none."""
        run = self.run
        return run.get_verdict_display() if run is not None and not run.dry_run else ""

    @property
    def said(self) -> str:
        run = self.run
        if run is not None and run.failure:
            return run.failure
        return self.job.login_words

    def cells(self) -> list[object]:
        run, job = self.run, self.job
        first = [job.destination, job.source_user, job.server.name, self.state.label]
        if run is None:
            return [*first, *[""] * 8, self.said]
        return [
            *first,
            self.verdict,
            run.to_copy_in_all,
            "" if run.dry_run else run.copied_in_all,
            run.there_before,
            run.failed,
            "" if run.dry_run else run.bytes_copied_in_all,
            written(run.started_at),
            written(run.finished_at),
            self.said,
        ]


def ordered(jobs: JobQuerySet) -> QuerySet[Any]:
    """Return what `lines_from` takes: unfinished mailboxes first, as in the batch."""
    return in_order(with_state(jobs)).select_related("server")


def lines_from(jobs: Iterable[Any]) -> Iterator[Line]:
    """Yield a few hundred at once, with their newest runs asked for in one query."""
    found = list(jobs)
    newest = Run.objects.newest_of_jobs().filter(job__in=[it.pk for it in found])
    runs = {it.job_id: it for it in newest.only(*OF_RUNS)}
    for job in found:
        yield Line(job, BY_CODE[job.state], runs.get(job.pk))


def lines_of(jobs: JobQuerySet) -> Iterator[Line]:
    """Yield all of them, without holding more than some at a time."""
    found = ordered(jobs)
    pks = list(found.values_list("pk", flat=True))
    for start in range(0, len(pks), AT_ONCE):
        yield from lines_from(found.filter(pk__in=pks[start : start + AT_ONCE]))


def items_of(jobs: JobQuerySet) -> QuerySet[RunError]:
    """Return what the newest runs of `jobs` left out."""
    newest = Run.objects.newest_of_jobs().filter(job__in=jobs)
    return (
        RunError.objects.filter(run__in=newest)
        .select_related("run__job")
        .only(*OF_ITEMS)
        .order_by("run__job__number", "run", "folder", "uid")
    )


def as_csv(jobs: JobQuerySet) -> Iterator[str]:
    """Yield the mailboxes and after them the items, with the columns of both."""
    return writing.as_csv(HEADER, _rows(jobs))


def _rows(jobs: JobQuerySet) -> Iterator[list[object]]:
    for line in lines_of(jobs):
        yield [*line.cells(), *[""] * ITEM_COLUMNS]
    blank = [""] * (len(HEADER) - ITEM_COLUMNS - 2)
    for item in items_of(jobs).iterator(AT_ONCE):
        job = item.run.job
        yield [job.destination, job.source_user, *blank, *item_cells(item)]


def item_cells(item: RunError) -> list[object]:
    """Return where it lies and why it was left out; a folder has no UID."""
    return [
        item.folder,
        item.uid or "",
        item.size if item.uid else "",
        written(item.arrived_at),
        item.reason,
    ]


def items_as_csv(run: Run) -> Iterator[str]:
    rows = run.errors.order_by("folder", "uid").iterator(AT_ONCE)
    return writing.as_csv(HEADER[-ITEM_COLUMNS:], (item_cells(it) for it in rows))


def written(at: datetime | None) -> str:
    return "" if at is None else f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"
