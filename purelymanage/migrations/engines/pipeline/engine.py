"""The pipeline engine as its callers see it: a plain function that takes a while."""

from __future__ import annotations

import asyncio
import threading
import time

from purelymanage.imap.account import Account
from purelymanage.imap.errors import ImapError
from purelymanage.migrations.engines.base import (
    CopyOptions,
    Outcome,
    Phase,
    Report,
    Stop,
    Verdict,
)

from .run import Run
from .tally import Tally

INTERVAL = 0.5
# For the answers to what was sent already, so that the counts are true.
GRACE = 1.2
END = 0.4


class PipelineEngine:
    name = "pipeline"

    def copy(
        self,
        source: Account,
        destination: Account | None,
        options: CopyOptions,
        report: Report,
    ) -> Outcome:
        """Copy one mailbox into another; `report` is called in this thread.

        Without a destination a dry run plans for one that will be empty.

        The event loop has a thread of its own, as Django's database layer refuses to
        work inside one. Whatever ends the caller ends the copy as well.
        """
        started = time.monotonic()
        worker = _Worker(source, destination, options)
        worker.start()
        stopped = False
        try:
            while worker.is_alive():
                worker.tally.news.wait(INTERVAL)
                worker.tally.news.clear()
                worker.budget.answer()
                report(worker.tally.snapshot())
        except Stop:
            stopped = True
        finally:
            worker.stop()
        if not stopped:
            try:
                report(worker.tally.snapshot())
            except Stop:
                stopped = True
        return worker.outcome(time.monotonic() - started, stopped=stopped)


class _Worker(threading.Thread):
    def __init__(
        self, source: Account, destination: Account | None, options: CopyOptions
    ) -> None:
        super().__init__(name="pipeline", daemon=True)
        self.tally = Tally()
        self._options = options
        self._run = Run(source, destination, options, self.tally)
        self.budget = self._run.budget
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._failure: ImapError | None = None
        self._mistake: BaseException | None = None

    def run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._task = self._loop.create_task(self._run.run())
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        except ImapError as exc:
            self._failure = exc
        except BaseException as exc:
            self._mistake = exc
        finally:
            self._loop.close()
            self.tally.news.set()

    def stop(self) -> None:
        """End the copy, gently if it can be done at once."""
        if not self.is_alive():
            self.join()
            return
        self._call(self._ask_to_stop)
        self.join(GRACE)
        if self.is_alive():
            self._call(self._cancel)
            self.join(END)

    def outcome(self, seconds: float, *, stopped: bool) -> Outcome:
        """Return what came of it; a mistake of ours is raised as it was."""
        if self._mistake is not None:
            raise self._mistake
        tally = self.tally.snapshot()
        finished = tally.phase == Phase.DONE and self._failure is None
        verdict = self._run.verdict() if finished else Verdict.INCOMPLETE
        if stopped and not finished:
            verdict = Verdict.STOPPED
        return Outcome(
            verdict=verdict,
            dry_run=self._options.dry_run,
            folders=tally.folders,
            errors=tally.errors,
            messages_copied=tally.copied,
            messages_already_there=tally.already_there,
            messages_failed=tally.failed,
            bytes_copied=tally.bytes_copied,
            seconds=seconds,
            failure=self._failure,
        )

    def _call(self, action: object) -> None:
        try:
            self._loop.call_soon_threadsafe(action)  # type: ignore[arg-type]
        except RuntimeError:
            # It has just ended by itself.
            return

    def _ask_to_stop(self) -> None:
        if not self._run.stop():
            self._cancel()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
