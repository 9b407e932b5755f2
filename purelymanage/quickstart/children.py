"""A program that runs beside us and does not outlive us."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

# In the environment of every child, so that the next start recognises leftovers.
MARK = "PURELYMANAGE_QUICKSTART"
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LIBC = ctypes.CDLL(None, use_errno=True)


class Child:
    """One program in a session of its own, so that Ctrl-C in a terminal passes it by.

    It is asked to stop by a signal to its main process alone, as a django-q2 cluster
    hangs when its workers get one too.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str],
        cwd: Path,
        uid: int | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.command = command
        self.log = log
        self.env = env
        self.cwd = cwd
        self.uid = uid
        self.stop_signal = stop_signal
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.cwd,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=self.uid,
                group=self.uid,
                extra_groups=None if self.uid is None else [],
                preexec_fn=end_with_parent(self.stop_signal),
            )
        finally:
            os.close(descriptor)

    @property
    def pid(self) -> int | None:
        return None if self.process is None else self.process.pid

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ask_to_stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(self.stop_signal)

    def kill(self) -> None:
        """End the main process and everything it has started in its session."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self, *, timeout: float) -> None:
        self.ask_to_stop()
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout)
        self.kill()


def end_with_parent(with_signal: signal.Signals) -> Callable[[], None]:
    """Return what makes a new process get `with_signal` when its parent is killed."""
    parent = os.getpid()
    prctl = LIBC.prctl

    def prepare() -> None:
        prctl(PR_SET_PDEATHSIG, int(with_signal), 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return prepare


def adopt_orphans() -> None:
    """Become the parent of grandchildren that lose theirs, to be able to end them."""
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_orphans() -> None:
    """End every process that is still a child of this one."""
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid:
            continue
        for orphan in _children_of(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(orphan, signal.SIGKILL)
        time.sleep(0.02)


def end_marked(mark: str) -> int:
    """End what an earlier start marked with `mark` and left behind; return how many."""
    wanted = f"{MARK}={mark}".encode()

    def found() -> list[int]:
        return [
            pid
            for pid in _pids()
            if pid != os.getpid() and wanted in _read(pid, "environ").split(b"\0")
        ]

    return _end(found, signal.SIGTERM, first=None, timeout=3)


def end_postgres(data: Path) -> int:
    """End a PostgreSQL server that still works in `data`; return its processes."""
    here = os.path.realpath(data)

    def found() -> list[int]:
        return [
            pid
            for pid in _pids()
            if _link(pid, "cwd") == here and _read(pid, "comm") == b"postgres\n"
        ]

    # Only the main process may be asked: its helpers take signals in other ways.
    try:
        first = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        first = None
    return _end(found, signal.SIGINT, first=first, timeout=5)


def _end(
    found: Callable[[], list[int]],
    with_signal: signal.Signals,
    *,
    first: int | None,
    timeout: float,
) -> int:
    pids = found()
    for pid in pids:
        if first is None or pid == first:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, with_signal)
    deadline = time.monotonic() + timeout
    while (left := found()) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return len(pids)


def _pids() -> Iterator[int]:
    """Return every process of the machine; none where there is no /proc."""
    try:
        names = os.listdir("/proc")  # noqa: PTH208
    except OSError:
        return
    yield from (int(name) for name in names if name.isdecimal())


def _children_of(parent: int) -> list[int]:
    children = []
    for pid in _pids():
        # The name in brackets may itself hold brackets and spaces.
        fields = _read(pid, "stat").rpartition(b")")[2].split()
        if len(fields) > 1 and int(fields[1]) == parent:
            children.append(pid)
    return children


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _link(pid: int, name: str) -> str:
    try:
        return str(Path(f"/proc/{pid}/{name}").readlink())
    except OSError:
        return ""
