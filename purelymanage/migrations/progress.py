"""Writes what an engine reports into the rows of a run, and keeps its lease."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from purelymanage.migrations import watchdog
from purelymanage.migrations.engines.base import (
    FolderProgress,
    FolderState,
    ItemError,
    Outcome,
    Phase,
    Progress,
    Stop,
)
from purelymanage.migrations.failures import Diagnosis, stalled
from purelymanage.migrations.limits import Hold, hold_on
from purelymanage.migrations.models import Run, RunError, RunFolder
from purelymanage.migrations.models.runs import LEASE

logger = logging.getLogger(__name__)

EVERY = 0.9  # seconds between two writings
HOURS_EVERY = 1.5  # seconds between two looks at hours and budgets
MOST_ERRORS = 1_000
# The phases in which both sides have been looked at.
LOOKED = {Phase.COPYING, Phase.COMPARING, Phase.DONE}
MOST_SAMPLES = 180
# Of the log, the last lines are kept. It is long, so that it is written less often.
LOG_LENGTH = 200_000  # bytes
LOG_EVERY = 5.0  # seconds
# What servers say may name people; whose mailbox it is stands above the log.
ADDRESS = re.compile(r"[^\s<>\"'(),;:=@]+@[^\s<>\"'(),;:=@]+")

FOLDER_COLUMNS = [
    field.name
    for field in RunFolder._meta.concrete_fields
    if field.name not in {"id", "run", "position", "written_at"}
]


class ProgressWriter:
    """The report of one attempt. Raises `Stop` when the copy is to end.

    That is when a person wants it to, when the lease was lost, or when the cluster is
    being shut down: which of them, the row tells whoever settles the run. Where it has
    to make a pause, `hold` says why, and where it is stuck, `stall` does.
    """

    def __init__(self, run: Run, *, is_stopping: Callable[[], bool]) -> None:
        self._run = run
        self._is_stopping = is_stopping
        self._folders: list[FolderProgress] = []
        self._errors = 0
        self._log = run.log
        self._log_written = (run.log, 0.0)
        self._samples = Samples()
        self._written_at = time.monotonic()
        # Samples count from the start of the first attempt.
        passed = timezone.now() - (run.started_at or timezone.now())
        self._started = self._written_at - passed.total_seconds()
        self._phase: Phase | None = None
        self.hold: Hold | None = None
        self.stall: Diagnosis | None = None
        self._looked_at = self._written_at
        self._trace: tuple[object, ...] = ()
        self._moved = self._written_at
        self._earlier: dict[str, int] = {}

    def __call__(self, progress: Progress) -> None:
        self._note(progress.log)
        now = time.monotonic()
        written = self._folders, self._errors, self._log_written
        try:
            # The first figures of a phase matter to the sums of a run that is killed.
            is_news = progress.phase != self._phase
            if not is_news and now - self._written_at < EVERY:
                self._check()
                return
            self._watch(progress, now)
            self._write(progress, now)
            stopping = self._is_stopping() or self._is_held(now)
        except (OperationalError, InterfaceError):
            # A database that restarts is no reason to lose the connections to two
            # mail servers, as long as nobody else can have taken over.
            connection.close()
            self._folders, self._errors, self._log_written = written
            if now - self._written_at > LEASE.total_seconds() / 2:
                raise
            logger.warning("The database does not answer; the copy goes on.")
            return
        self._phase, self._written_at = progress.phase, now
        if stopping or self.stall:
            raise Stop

    def figures(self, outcome: Outcome) -> dict[str, Any]:
        """Write the final folders and return the columns that end the run."""
        progress = Progress(folders=outcome.folders, errors=outcome.errors)
        seconds = time.monotonic() - self._started
        self._samples.add(seconds, progress.copied, progress.bytes_copied)
        looked = progress.already_there or progress.to_copy
        columns = run_columns(progress) | {
            "samples": self._samples.points,
            "log": self._log,
            **(self._compare(progress) if looked else {}),
        }
        with transaction.atomic():
            if Run.objects.held_by(self._run).select_for_update().exists():
                self._write_folders(progress.folders)
                self._write_errors(progress.errors)
        return columns

    def _write(self, progress: Progress, now: float) -> None:
        self._samples.add(now - self._started, progress.copied, progress.bytes_copied)
        with transaction.atomic():
            held = Run.objects.held_by(self._run).filter(stop_requested_at=None)
            if not held.update(
                lease_until=timezone.now() + LEASE,
                **self._movement(now),
                phase=progress.phase.value,
                detail=clean(detail(progress))[:300],
                samples=self._samples.points,
                **self._new_log(now),
                **run_columns(progress),
                **(self._compare(progress) if progress.phase in LOOKED else {}),
            ):
                # Asked to stop, or somebody else holds the run by now.
                raise Stop
            self._write_folders(progress.folders)
            self._write_errors(progress.errors)

    def _watch(self, progress: Progress, now: float) -> None:
        """See whether anything has moved, and note if nothing has for too long."""
        if (trace := watchdog.trace(progress)) != self._trace:
            self._trace, self._moved = trace, now
            return
        still = now - self._moved
        if still > watchdog.patience(progress).total_seconds():
            words = Run.Phase(progress.phase).label.lower()
            self.stall = stalled(words, int(still / 60))

    def _movement(self, now: float) -> dict[str, Any]:
        return {"moved_at": timezone.now()} if self._moved == now else {}

    def _is_held(self, now: float) -> bool:
        """Whether the hours of a pause have come, or the bytes of the day are gone."""
        if now - self._looked_at >= HOURS_EVERY:
            self._looked_at = now
            self.hold = hold_on(self._run.job, timezone.now())
        return self.hold is not None

    def _compare(self, progress: Progress) -> dict[str, int]:
        """Return what earlier attempts have copied, by the first look of this one."""
        run = self._run
        if self._earlier or run.dry_run:
            return self._earlier
        there = progress.already_there
        # What was left out by then is neither there nor to be copied.
        left_out = sum(it.size for it in progress.errors if it.uid)
        bytes_there = progress.bytes - progress.bytes_to_copy - left_out
        first, bytes_first = run.there_at_first, run.bytes_there_at_first
        if first is None or bytes_first is None:
            first = max(0, there - run.copied_earlier)
            bytes_first = max(0, bytes_there - run.bytes_copied_earlier)
        self._earlier = {
            "there_at_first": first,
            "bytes_there_at_first": bytes_first,
            "copied_earlier": max(0, there - first),
            "bytes_copied_earlier": max(0, bytes_there - bytes_first),
        }
        return self._earlier

    def _check(self) -> None:
        if not Run.objects.held_by(self._run).filter(stop_requested_at=None).exists():
            raise Stop

    def _note(self, lines: list[str]) -> None:
        """Add lines with their time, and forget the oldest ones."""
        if not lines:
            return
        at = f"{timezone.localtime():%H:%M:%S}"
        self._log += "".join(f"{at}  {redacted(line)}\n" for line in lines)
        # No character takes more than four bytes.
        if len(self._log) > LOG_LENGTH // 4:
            self._log = last_lines(self._log, LOG_LENGTH)

    def _new_log(self, now: float) -> dict[str, str]:
        """Return the log where it is to be written: as a whole, so not each time."""
        text, at = self._log_written
        if self._log == text or now - at < LOG_EVERY:
            return {}
        self._log_written = self._log, now
        return {"log": self._log}

    def _write_folders(self, folders: list[FolderProgress]) -> None:
        """Write the rows that changed, in one statement."""
        if len(folders) < len(self._folders) or (folders and not self._folders):
            # Another attempt may have seen more folders.
            self._run.folders.filter(position__gte=len(folders)).delete()
        rows, now = [], timezone.now()
        for position, folder in enumerate(folders):
            known = self._folders[position : position + 1]
            if known == [folder]:
                continue
            columns = {name: getattr(folder, name) for name in FOLDER_COLUMNS}
            columns["source"] = clean(folder.source)
            columns["destination"] = clean(folder.destination)
            place = {"run": self._run, "position": position, "written_at": now}
            rows.append(RunFolder(**place, **columns))
        RunFolder.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["run", "position"],
            update_fields=[*FOLDER_COLUMNS, "written_at"],
        )
        self._folders = [FolderProgress(**asdict(folder)) for folder in folders]

    def _write_errors(self, errors: list[ItemError]) -> None:
        new = errors[self._errors : MOST_ERRORS]
        if not new:
            return
        RunError.objects.bulk_create(
            RunError(
                run=self._run,
                folder=clean(error.folder),
                uid=error.uid,
                size=error.size,
                reason=clean(error.reason)[:500],
                arrived_at=error.arrived_at,
            )
            for error in new
        )
        self._errors += len(new)


class Samples:
    """How far the copy was at which second; the longer it takes, the coarser."""

    def __init__(self) -> None:
        self._kept: list[list[float]] = []
        self._newest: list[float] = []
        self._every = 1.0

    def add(self, seconds: float, messages: int, size: int) -> None:
        self._newest = [round(seconds, 1), messages, size]
        if not self._kept or seconds - self._kept[-1][0] >= self._every:
            self._kept.append(self._newest)
        if len(self._kept) > MOST_SAMPLES:
            del self._kept[1:-1:2]
            self._every *= 2

    @property
    def points(self) -> list[list[float]]:
        if self._kept and self._kept[-1] is not self._newest:
            return [*self._kept, self._newest]
        return self._kept


def detail(progress: Progress) -> str:
    """Say what the engine is at, by the folder that grows and not the one read ahead."""
    for folder in progress.folders:
        left = folder.to_copy - folder.copied - folder.failed
        if folder.state == FolderState.COPYING and left > 0:
            return f"copying {folder.source}"
    return progress.detail


def last_lines(text: str, most: int) -> str:
    """Return the last whole lines of `text` that take no more than `most` bytes."""
    raw = text.encode(errors="replace")
    if len(raw) <= most:
        return text
    # Cut by a tenth more, so that not every line brings another cut.
    return raw[-most * 9 // 10 :].partition(b"\n")[2].decode()


def redacted(line: str) -> str:
    """Return a line for the log, without addresses."""
    return ADDRESS.sub("…", clean(line))


def clean(text: str) -> str:
    """Return what a server sent without the one character PostgreSQL refuses."""
    return text.replace("\0", "")


def run_columns(progress: Progress) -> dict[str, Any]:
    folders = progress.folders
    return {
        "folder_count": len(folders),
        "folders_done": sum(folder.state in {"done", "failed"} for folder in folders),
        "messages": progress.messages,
        "bytes": progress.bytes,
        "largest": max((folder.largest for folder in folders), default=0),
        "already_there": progress.already_there,
        "to_copy": progress.to_copy,
        "bytes_to_copy": progress.bytes_to_copy,
        "copied": progress.copied,
        "bytes_copied": progress.bytes_copied,
        "failed": progress.failed,
    }
