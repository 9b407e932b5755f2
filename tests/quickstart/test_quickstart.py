"""The whole quickstart, as a person starts it. Slow, and worth it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from purelymanage.quickstart import ports
from purelymanage.quickstart.children import MARK
from purelymanage.quickstart.environment import OWNED
from tests.panel import copy_tree

pytestmark = pytest.mark.slow
# Seconds a stop and a second start may take, and what to grant a machine on which
# other tests run at the same time.
PROMISED, BUSY = 10, 2


class Clone:
    """A copy of the project with the virtual environment of these tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.var = folder / "var"
        self.port = ports.keep_or_choose(None)
        self.begun: list[subprocess.Popen[str]] = []
        copy_tree(folder)
        (folder / ".venv").symlink_to(sys.prefix)
        self.env = {k: v for k, v in os.environ.items() if k not in OWNED}
        # The database of another installation, which must not be touched.
        self.env["DATABASE_URL"] = "postgres://nobody@nowhere.invalid/production"

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [
                self.folder / "deploy" / "quickstart",
                "--port",
                str(self.port),
                *arguments,
            ],
            cwd="/",
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.begun.append(process)
        return process

    def ready(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        """Wait until it says that it is ready and return what the state file says."""
        assert process.stdout
        shown = ""
        for line in process.stdout:
            shown += line
            if line.startswith("Ready after"):
                break
        else:
            raise AssertionError(shown)
        state: dict[str, Any] = json.loads((self.var / "quickstart.json").read_text())
        return state

    def processes(self) -> list[str]:
        """Return the command lines of everything that runs for this clone."""
        mark = f"{MARK}={self.var}".encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                environ = (process / "environ").read_bytes()
                here = os.path.realpath(process / "cwd")
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ")
            except OSError:
                continue
            in_here = here == str(self.folder) or here.startswith(f"{self.folder}/")
            if command and (in_here or mark in environ):
                found.append(command.decode(errors="replace"))
        return found

    def sign_in(self, state: dict[str, Any]) -> requests.Response:
        with requests.Session() as session:
            url = f"{state['url']}/accounts/login/"
            page = session.get(url, timeout=10).text
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
            assert token
            form = {
                "csrfmiddlewaretoken": token[1],
                "login": state["email"],
                "password": state["password"],
            }
            return session.post(url, form, allow_redirects=False, timeout=10)


@pytest.fixture
def clone() -> Iterator[Clone]:
    folder = Path(tempfile.mkdtemp(prefix="purelymanage-"))
    folder.chmod(0o711)
    clone = Clone(folder)
    yield clone
    for process in clone.begun:
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=15)
    left = clone.processes()
    shutil.rmtree(folder)
    assert left == []


def stop(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> float:
    began = time.monotonic()
    process.send_signal(number)
    output, _ = process.communicate(timeout=15)
    assert process.returncode == 0, output
    return time.monotonic() - began


def test_from_nothing_to_a_panel_and_back_and_anew(clone: Clone) -> None:
    first = clone.begin()
    state = clone.ready(first)
    assert list(state) == ["url", "email", "password", "sandbox"]
    assert list(state["sandbox"]) == [
        "api_url",
        "api_token",
        "dns",
        "source_imap",
        "source_user",
        "source_password",
        "destination_imap",
    ]
    for name in ("quickstart.json", "env"):
        assert stat.S_IMODE((clone.var / name).stat().st_mode) == 0o600
    health = requests.get(f"{state['url']}/healthz", timeout=10)
    assert health.status_code == 200
    assert clone.sign_in(state).status_code == 302

    # A second one leaves the first one alone.
    second = clone.begin("--reset")
    output, _ = second.communicate(timeout=20)
    assert second.returncode
    assert f"already runs in this folder: {state['url']}" in output
    assert first.poll() is None

    assert stop(first, signal.SIGINT) < PROMISED * BUSY
    assert clone.processes() == []
    # Whoever waits for the file must not find the one of a start before.
    assert not (clone.var / "quickstart.json").exists()

    began = time.monotonic()
    again = clone.begin()
    next_state = clone.ready(again)
    assert time.monotonic() - began < PROMISED * BUSY
    assert next_state == state
    assert clone.sign_in(next_state).status_code == 302

    # A killed one is no obstacle for a fresh one.
    assert len(clone.processes()) > 5
    again.kill()
    again.communicate(timeout=5)
    anew = clone.begin("--reset")
    fresh = clone.ready(anew)
    assert fresh["password"] != state["password"]
    assert clone.sign_in(fresh).status_code == 302
    assert stop(anew) < PROMISED * BUSY


def test_it_stops_at_any_moment(clone: Clone) -> None:
    process = clone.begin()
    assert process.stdout
    shown = ""
    while "Database tables" not in shown:
        shown += process.stdout.read(1)
    assert stop(process) < PROMISED * BUSY
