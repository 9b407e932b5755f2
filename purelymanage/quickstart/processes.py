"""Starts the processes of a quickstart, restarts what falls, and ends them all."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from purelymanage.quickstart.children import (
    Child,
    adopt_orphans,
    end_orphans,
    end_with_parent,
)

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Together under the ten seconds that we promise.
STOP_TIMEOUT = 4.5
LAST_STOP_TIMEOUT = 2.0
LOOK_EVERY = 0.5
PAUSE = 1.0  # before the second restart; then it doubles
FALLS_ALLOWED = 5
FALLS_WITHIN = 60.0


class StopRequested(BaseException):
    """Somebody pressed Ctrl-C or sent a signal. Not an error, so not an `Exception`."""


class KeepsFalling(Exception):
    """A process does not stay up; the text is a sentence that names its log."""


class StepFailed(Exception):
    """A program did not do its work; the text is a sentence that names its log."""


class Supervisor:
    """Runs children until `StopRequested`, and ends them all when it is left.

    The base is PostgreSQL, which the others need until they have ended.
    """

    def __init__(self) -> None:
        self.children: list[Child] = []
        self._base: Child | None = None
        self._afterwards: Callable[[], None] | None = None
        self._falls: dict[str, list[float]] = {}
        self._restarts: dict[str, float] = {}
        self._handlers: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        adopt_orphans()
        for number in STOP_SIGNALS:
            # Under nohup, the end of the terminal is not meant to be ours.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self._handlers[number] = signal.signal(number, _request_stop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _ignore_signals()
        self._stop_all()
        if self._afterwards is not None:
            self._afterwards()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # as it was

    def start(self, child: Child) -> None:
        child.start()
        self.children.append(child)

    def keep_base(self, child: Child, *, afterwards: Callable[[], None]) -> None:
        """Look after a child that runs already and is to be stopped last."""
        self.children.insert(0, child)
        self._base = child
        self._afterwards = afterwards

    def watch(self) -> None:
        """Restart what falls until somebody asks us to stop."""
        while True:
            time.sleep(LOOK_EVERY)
            self.look()

    def look(self) -> None:
        """Restart each fallen child after a pause; give up if one keeps falling."""
        now = time.monotonic()
        for child in self.children:
            if child.is_alive():
                continue
            name = child.name
            if name not in self._restarts:
                falls = [
                    at for at in self._falls.get(name, []) if at > now - FALLS_WITHIN
                ]
                self._falls[name] = [*falls, now]
                if len(falls) + 1 >= FALLS_ALLOWED:
                    raise KeepsFalling(
                        f"The process {name} does not stay up; {child.log} says why."
                    )
                child.kill()
                self._restarts[name] = now + PAUSE * (2 ** len(falls) - 1)
            if now >= self._restarts[name]:
                del self._restarts[name]
                child.start()
        self._bury_strangers()

    def run(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        log: Path,
        given: str,
        on_line: Callable[[str], None],
    ) -> None:
        """Run a program to its end, with each line it prints going to `on_line`."""
        with log.open("ab") as errors:
            process = subprocess.Popen(
                command,
                env=env,
                cwd=cwd,
                text=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
                preexec_fn=end_with_parent(signal.SIGTERM),
            )
        try:
            with process, contextlib.suppress(BrokenPipeError):
                assert process.stdin and process.stdout
                process.stdin.write(given)
                process.stdin.close()
                for line in process.stdout:
                    on_line(line.rstrip("\n"))
        finally:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if process.returncode:
            raise StepFailed(f"This step failed; {log} says why.")

    def _stop_all(self) -> None:
        base = [child for child in self.children if child is self._base]
        others = [child for child in self.children if child is not self._base]
        for group, timeout in ((others, STOP_TIMEOUT), (base, LAST_STOP_TIMEOUT)):
            for child in group:
                child.ask_to_stop()
            deadline = time.monotonic() + timeout
            while time.monotonic() < deadline and any(c.is_alive() for c in group):
                time.sleep(0.05)
            for child in group:
                child.kill()
        end_orphans()

    def _bury_strangers(self) -> None:
        """Take note of adopted grandchildren that have ended."""
        ours = {child.pid for child in self.children}
        with contextlib.suppress(ChildProcessError):
            while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if found.si_pid in ours:
                    break
                os.waitpid(found.si_pid, 0)


def _request_stop(number: int, frame: FrameType | None) -> None:
    _ignore_signals()
    raise StopRequested


def _ignore_signals() -> None:
    """Let impatience change nothing once we are stopping."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
