"""The processes of a running panel, to stop, freeze and kill them for real."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.panel import Panel

PATIENCE = 120.0


class Processes:
    """Finds what the quickstart of `panel` has started."""

    def __init__(self, panel: Panel) -> None:
        assert panel.pid is not None, "This panel was started by somebody else."
        self.supervisor = panel.pid

    @property
    def postgres(self) -> int:
        return self._one(lambda pid: read(pid, "comm") == "postgres\n")

    @property
    def web(self) -> int:
        return self._one(lambda pid: "gunicorn" in read(pid, "cmdline"))

    @property
    def worker(self) -> int:
        return self._one(lambda pid: _is_cluster(pid, of_copies=False))

    @property
    def migrations(self) -> int:
        return self._one(lambda pid: _is_cluster(pid, of_copies=True))

    def _one(self, is_meant: Callable[[int], bool]) -> int:
        found = [pid for pid in children(self.supervisor) if is_meant(pid)]
        assert len(found) == 1, found
        return found[0]

    @contextmanager
    def nobody_restarts(self) -> Iterator[None]:
        """Let what falls lie, as the quickstart would set it up again at once."""
        os.kill(self.supervisor, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.supervisor, signal.SIGCONT)

    @contextmanager
    def without_postgres(self) -> Iterator[None]:
        """Stop the server as `pg_ctl stop` does; it is started again afterwards."""
        postgres = self.postgres
        with self.nobody_restarts():
            os.kill(postgres, signal.SIGINT)
            wait_until(lambda: has_ended(postgres))
            yield

    @contextmanager
    def frozen_postgres(self) -> Iterator[None]:
        """Let the server hang: it takes connections and answers nothing."""
        everybody = [self.postgres, *children(self.postgres)]
        for pid in everybody:
            send(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in everybody:
                send(pid, signal.SIGCONT)


def children(pid: int) -> list[int]:
    try:
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(it) for it in told.split() if not has_ended(int(it))]


def descendants(pid: int) -> list[int]:
    return [it for child in children(pid) for it in (child, *descendants(child))]


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or waits for nothing but to be buried."""
    stat = read(pid, "stat").rpartition(")")[2].split()
    return not stat or stat[0] == "Z"


def send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def wait_until(is_so: Callable[[], bool], *, within: float = PATIENCE) -> float:
    """Wait until something is true and return the seconds it took."""
    began = time.monotonic()
    while not is_so():
        passed = time.monotonic() - began
        assert passed < within, f"It was not so within {within:g} seconds."
        time.sleep(0.05)
    return time.monotonic() - began


def _is_cluster(pid: int, *, of_copies: bool) -> bool:
    is_other = "Q_CLUSTER_NAME=migrations" in read(pid, "environ").split("\0")
    return "qcluster" in read(pid, "cmdline") and is_other == of_copies


def read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
