"""A whole panel with its demo account, as a new user would start it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from purelymanage.environment import BASE_DIR
from purelymanage.quickstart.environment import OWNED
from purelymanage.quickstart.ports import keep_or_choose

PARTS = ("deploy", "purelymanage", "static", "templates", "manage.py", "pyproject.toml")
PATIENCE = 240  # seconds, as other tests may keep the machine busy
# For looking at one test again and again: the `quickstart.json` of a running panel.
RUNNING = "TEST_PANEL"


@dataclass(frozen=True)
class Panel:
    url: str
    email: str
    password: str
    sandbox: dict[str, str]
    folder: Path
    pid: int | None

    @property
    def env_file(self) -> Path:
        return self.folder / "var" / "env"


@contextlib.contextmanager
def running_panel(folder: Path) -> Iterator[Panel]:
    """Start a panel from a copy of this tree in `folder`, and stop it afterwards."""
    if state := os.environ.get(RUNNING):
        yield _read(Path(state).parent.parent, None)
        return

    copy_tree(folder)
    env = {name: value for name, value in os.environ.items() if name not in OWNED}
    # It copies with its own engine, also where imapsync is installed.
    env["IMAPSYNC_BIN"] = ""
    log = (folder / "quickstart.log").open("wb")
    command = [sys.executable, "manage.py", "quickstart"]
    process = subprocess.Popen(
        [*command, "--port", str(keep_or_choose(None))],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait(folder, process)
        yield _read(folder, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
        log.close()


def copy_tree(folder: Path) -> None:
    """Copy what a clone would hold, with changes that are not committed.

    What Python has compiled goes along: it need not be done again for each copy.
    """
    for name in PARTS:
        source = BASE_DIR / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copy2(source, folder / name)


def _wait(folder: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not (folder / "var" / "quickstart.json").exists():
        if process.poll() is not None or time.monotonic() > deadline:
            said = (folder / "quickstart.log").read_text(encoding="utf-8")
            raise AssertionError(f"The panel did not start:\n{said}")
        time.sleep(0.1)


def _read(folder: Path, pid: int | None) -> Panel:
    path = folder / "var" / "quickstart.json"
    state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Panel(**state, folder=folder, pid=pid)
