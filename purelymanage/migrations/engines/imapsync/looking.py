"""Our own look at both sides: what there is to copy, and afterwards what was.

It is a dry run of the pipeline, so that both engines agree on which folder goes into
which, on what is missing, and on when a copy is complete.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field, replace
from datetime import datetime

from purelymanage.imap.account import Account
from purelymanage.imap.errors import ImapError, ProtocolError
from purelymanage.migrations.engines.base import (
    CopyOptions,
    FolderProgress,
    ItemError,
    Phase,
    Report,
    Verdict,
)
from purelymanage.migrations.engines.pipeline.listing import Mark
from purelymanage.migrations.engines.pipeline.run import Run
from purelymanage.migrations.engines.pipeline.tally import Tally

from .command import Way

INTERVAL = 0.5
END = 1.5


@dataclass(frozen=True, slots=True)
class Missing:
    uid: int
    size: int
    arrived_at: datetime | None


@dataclass(slots=True)
class Seen:
    """A folder of the source beside the one it goes into."""

    way: Way
    progress: FolderProgress
    # Goes last: it holds what lies in the other folders as well.
    everything: bool
    exists: bool
    missing: list[Missing] = field(default_factory=list)


@dataclass(slots=True)
class Sight:
    folders: list[Seen]
    errors: list[ItemError]
    verdict: Verdict
    # Why the folders are known, but not what lies in them.
    failure: ImapError | None = None


class _Look(Run):
    def sight(self) -> Sight:
        found = []
        for target in self._targets:
            for job in target.jobs:
                way = Way(_text(job.source.wire), _text(target.wire))
                seen = Seen(
                    way, replace(job.progress), job.everything, bool(target.exists)
                )
                listing = job.listing
                if listing is not None and not job.failed:
                    seen.missing = [
                        Missing(
                            listing.uids[row],
                            listing.sizes[row],
                            listing.arrived_at(row),
                        )
                        for row in listing.rows(Mark.MISSING)
                    ]
                found.append(seen)
        return Sight(found, self._tally.snapshot().errors, self.verdict())


def look(
    source: Account, destination: Account, options: CopyOptions, report: Report
) -> Sight:
    """Read both sides; `report` is called in this thread, and what it raises ends it."""
    looker = _Looker(source, destination, replace(options, dry_run=True))
    looker.start()
    try:
        while looker.is_alive():
            looker.tally.news.wait(INTERVAL)
            looker.tally.news.clear()
            progress = looker.tally.snapshot()
            if progress.phase == Phase.DONE:
                # The copy is not, only the look.
                progress.phase = Phase.READING
            report(progress)
    finally:
        looker.stop()
    return looker.result()


class _Looker(threading.Thread):
    """An event loop of its own, as Django's database layer works inside none."""

    def __init__(
        self, source: Account, destination: Account, options: CopyOptions
    ) -> None:
        super().__init__(name="looking", daemon=True)
        self.tally = Tally()
        self._run = _Look(source, destination, options, self.tally)
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None
        self._sight: Sight | None = None

    def run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._task = self._loop.create_task(self._run.run())
            self._loop.run_until_complete(self._task)
            self._sight = self._run.sight()
        except ProtocolError as exc:
            self._sight = self._run.sight()
            self._sight.failure = self._failure = exc
        except BaseException as exc:
            self._failure = exc
        finally:
            self._loop.close()
            self.tally.news.set()

    def stop(self) -> None:
        if self.is_alive():
            try:
                self._loop.call_soon_threadsafe(self._cancel)
            except RuntimeError:
                # It has just ended by itself.
                return
        self.join(END)

    def result(self) -> Sight:
        if self._failure is not None and not (self._sight and self._sight.folders):
            raise self._failure
        if self._sight is None:
            raise ImapError("The two mailboxes could not be compared in time.")
        return self._sight

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


def _text(wire: bytes) -> str:
    """Return a name the way it goes into an argument, whatever its bytes are."""
    return wire.decode("utf-8", "surrogateescape")
