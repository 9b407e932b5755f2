"""A real cluster of workers in a process of its own, on the database of the tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django_q.conf import Conf
from django_q.signing import SignedPackage

ROOT = Path(__file__).resolve().parents[2]


class Cluster:
    """A cluster, that of copies with one worker by default. A context manager."""

    def __init__(self, name: str = "migrations", *, workers: int = 1) -> None:
        self._name, self._workers = name, workers

    def __enter__(self) -> Self:
        url = urlsplit(settings.DATABASE_URL)
        name = connection.settings_dict["NAME"]
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "qcluster"],
            cwd=ROOT,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={
                "PATH": os.environ["PATH"],
                "ENV_FILE": os.devnull,
                "DATABASE_URL": url._replace(path=f"/{name}").geturl(),
                "SECRET_KEY": settings.SECRET_KEY,
                "ENCRYPTION_KEYS": settings.ENCRYPTION_KEYS,
                "AUDIT_KEY": settings.AUDIT_KEY,
                "PURELYMAIL_API_URL": settings.PURELYMAIL_API_URL,
                "PURELYMAIL_API_TOKEN": settings.PURELYMAIL_API_TOKEN,
                "PURELYMAIL_IMAP_HOST": settings.PURELYMAIL_IMAP_HOST,
                "PURELYMAIL_IMAP_PORT": str(settings.PURELYMAIL_IMAP_PORT),
                "IMAP_CA_FILE": settings.IMAP_CA_FILE or "",
                "WORKERS": str(self._workers),
                "MIGRATION_WORKERS": str(self._workers),
                "Q_CLUSTER_NAME": self._name,
            },
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if error is not None:
            print(self.output())  # noqa: T201  # pytest shows it with the failure
        self._log.close()

    def output(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def processes(self) -> list[int]:
        """All processes of the cluster."""
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                words = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(words[3]) == self._process.pid:  # the session
                found.append(int(folder.name))
        return found

    def workers(self) -> list[int]:
        packages = cache.get_many(cache.get(Conf.Q_STAT) or []).values()
        states = [SignedPackage.loads(package) for package in packages]
        mine = self.processes()
        return [pid for it in states if it.sentinel in mine for pid in it.workers]

    def kill_workers(self) -> list[int]:
        """End each worker the hard way, as the kernel does when memory is short."""
        killed = self.workers()
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        return killed

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def terminate(self, *, within: float) -> bool:
        """Ask the cluster to end, and tell whether it did in time."""
        self._process.terminate()
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            return False
        return True


def wait_for(condition: Callable[[], bool], *, within: float) -> float:
    """Wait until something is true, and return how long it took."""
    started = time.monotonic()
    while not condition():
        passed = time.monotonic() - started
        assert passed < within, f"not within {within:g} seconds"
        time.sleep(0.05)
    return time.monotonic() - started
