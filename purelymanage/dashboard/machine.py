"""What is known of the machine that answers, and of the programs on it."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import distributions
from pathlib import Path

import django
from django.db import connection

from purelymanage.dashboard import processes
from purelymanage.database_watch import watch
from purelymanage.environment import BASE_DIR
from purelymanage.migrations.engines import imapsync_version

# Below these shares of a disk, or bytes, somebody should look; logs and locks need some.
LOW, LOW_BYTES = 0.1, 2 * 10**9
FULL, FULL_BYTES = 0.01, 2 * 10**8
# PostgreSQL writes its own log in pieces of this size: with less room it soon stops.
NO_ROOM = 16 * 2**20


@dataclass(frozen=True)
class Disk:
    purpose: str
    path: Path
    total: int
    free: int

    @property
    def share_used(self) -> int:
        """Per cent of what is not reserved for the system."""
        return round(100 * (1 - self.free / self.total)) if self.total else 100

    @property
    def tone(self) -> str:
        if self.free < max(FULL * self.total, FULL_BYTES):
            return "broken"
        if self.free < min(LOW * self.total, LOW_BYTES):
            return "attention"
        return "good"


def disks() -> list[Disk]:
    """Return the disks that the panel writes to here; each once."""
    found: dict[int, Disk] = {}
    places = {
        "the panel's folder": BASE_DIR,
        "temporary files": Path(tempfile.gettempdir()),
        "logs of the system": Path("/var/log"),
    }
    if database := _database_folder():
        places["the database"] = database
    for purpose, path in places.items():
        try:
            device, usage = path.stat().st_dev, shutil.disk_usage(path)
        except OSError:
            continue
        if known := found.get(device):
            purpose, path = f"{known.purpose}, {purpose}", known.path
        found[device] = Disk(purpose, path, usage.total, usage.free)
    return list(found.values())


def database_has_room() -> bool:
    """Whether nothing says that the database can write nothing more."""
    if watch.was_full:
        return False
    folder = _database_folder()
    try:
        return folder is None or shutil.disk_usage(folder).free >= NO_ROOM
    except OSError:
        return True


def _database_folder() -> Path | None:
    """Return where the database keeps its data, if it is on this machine."""
    host = str(connection.get_connection_params().get("host", ""))
    if host and not host.startswith("/"):
        return None
    # The quickstart's own one has it beside its socket.
    for folder in (Path(host).parent / "data", Path("/var/lib/postgresql")):
        if folder.is_dir():
            return folder
    return None


@dataclass(frozen=True)
class Web:
    """The processes that answer requests here."""

    host: str
    pid: int
    memory: int  # of this one


def web() -> Web:
    return Web(platform.node(), os.getpid(), processes.memory([os.getpid()]))


@dataclass(frozen=True)
class Imapsync:
    is_found: bool
    version: str  # none where it does not start

    @property
    def words(self) -> str:
        if not self.is_found:
            return "not installed; copies go through the panel's own engine"
        return self.version or "found, but it does not start"


def imapsync() -> Imapsync:
    version = imapsync_version()
    return Imapsync(version is not None, version or "")


@lru_cache(maxsize=1)
def panel_version() -> str:
    text = (BASE_DIR / "pyproject.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["project"]["version"])


def versions() -> dict[str, str]:
    return {
        "PurelyManage": panel_version(),
        "Python": platform.python_version(),
        "Django": django.get_version(),
    }


@lru_cache(maxsize=1)
def packages() -> list[tuple[str, str]]:
    """Return what is installed beside the panel, with versions."""
    found = {it.metadata["Name"]: it.version for it in distributions()}
    return sorted(found.items(), key=lambda it: it[0].lower())
