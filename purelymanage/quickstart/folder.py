"""The folder `var/`, where a quickstart keeps everything it makes."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import Any

from purelymanage.quickstart import environment


class Occupied(Exception):
    """Another quickstart works in this folder; the text is a sentence to show."""


class Folder:
    """Names what lies in `var/`, and holds the lock that keeps a second start out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.env = path / "env"
        self.logs = path / "log"
        self.sandbox = path / "sandbox"
        self.postgres = path / "postgres"
        self.static = path / "static"
        self.mail = path / "mail"
        self.token = path / "purelymail-token"
        self._state = path / "quickstart.json"
        self._last_state = path / "quickstart.last.json"
        self._lock: int | None = None

    def lock(self, *, url: str) -> None:
        """Take the lock and note our address in it, for who comes second."""
        self.path.mkdir(mode=0o700, exist_ok=True)
        # PostgreSQL's own user, which root needs, has to pass through. What lies
        # inside is closed by its own permissions.
        self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            running = os.pread(lock, 200, 0).decode(errors="replace")
            os.close(lock)
            raise Occupied(
                f"A quickstart already runs in this folder: {running}"
            ) from exc
        os.ftruncate(lock, 0)
        os.pwrite(lock, url.encode(), 0)
        self._lock = lock

    def begin(self) -> None:
        for folder in (self.logs, self.mail):
            folder.mkdir(mode=0o700, exist_ok=True)
        self.put_away_state()

    def put_away_state(self) -> None:
        """Rename `quickstart.json`, which is there only while everything answers."""
        if self._state.exists():
            self._state.replace(self._last_state)

    def unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def log(self, name: str) -> Path:
        """Return the log file of a process, empty; the previous one is kept once."""
        path = self.logs / f"{name}.log"
        if path.exists():
            path.replace(path.with_suffix(".log.1"))
        return path

    def last_state(self) -> dict[str, Any]:
        """Return what the last start wrote into `quickstart.json`, if known."""
        try:
            state = json.loads(self._last_state.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}

    def write_state(self, state: dict[str, Any]) -> None:
        environment.write_private(self._state, json.dumps(state, indent=2) + "\n")
        self._last_state.unlink(missing_ok=True)

    def empty(self) -> None:
        """Remove all that a quickstart made here. The lock must be held."""
        for path in (self.env, self.token, self._state, self._last_state):
            path.unlink(missing_ok=True)
        for path in (self.postgres, self.sandbox, self.static, self.logs, self.mail):
            shutil.rmtree(path, ignore_errors=True)
