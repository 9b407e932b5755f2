from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from purelymanage import web_server
from purelymanage.environment import BASE_DIR, NEVER_MIND
from tests.requirements import require_program

UNITS = BASE_DIR / "deploy" / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
HIGHEST_EXPOSURE = 3.0
# Of systemd itself, where a file of a secret is missing.
NO_CREDENTIALS = 243


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder of units like that of a machine where the panel is installed."""
    shutil.copytree(UNITS, tmp_path, dirs_exist_ok=True)
    python = tmp_path / "opt" / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    backup = tmp_path / "opt" / "deploy" / "backup"
    backup.parent.mkdir()
    shutil.copy(python, backup)
    for unit in tmp_path.rglob("*.service"):
        text = unit.read_text().replace("/opt/purelymanage/current", f"{tmp_path}/opt")
        unit.write_text(text)
    return tmp_path


def analyze(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Those of the machine are found as well.
    env = {**os.environ, "SYSTEMD_UNIT_PATH": f"{installed}:", "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [require_program("systemd-analyze"), *arguments],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_systemd_finds_nothing_wrong(installed: Path) -> None:
    units = [path.name for path in installed.iterdir() if path.is_file()]
    done = analyze(installed, "verify", "--man=no", *units)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("service", SERVICES)
def test_little_is_exposed(installed: Path, service: str) -> None:
    # "systemd 249 (249.11-…)", and the features it was built with
    version = int(re.findall(r"\d+", analyze(installed, "--version").stdout)[0])
    if version < 250:
        pytest.skip("systemd before 250 rates no unit that is not loaded")
    done = analyze(installed, "security", "--offline=true", "--no-pager", service)
    found = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stdout
    assert float(found[1]) < HIGHEST_EXPOSURE


def who_answers(address: Path, path: str) -> int:
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    with contextlib.closing(connection):
        connection.sock.settimeout(30)
        connection.sock.connect(str(address))
        connection.request("GET", path)
        return int(json.load(connection.getresponse())["process"])


@pytest.mark.slow
def test_web_pages_are_served_by_the_calls_it_may_make(tmp_path: Path) -> None:
    require_program("systemd-analyze")
    address = tmp_path / "web.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen()
        command = [sys.executable, "-m", "tests.deploy.confined", "purelymanage-web"]
        command += [sys.executable, "-m", "gunicorn"]
        command += ["--config", "python:purelymanage.web_server"]
        command += ["--bind", f"fd://{listener.fileno()}", "--log-level", "error"]
        process = subprocess.Popen(
            [*command, "tests.who_answers:application"],
            cwd=BASE_DIR,
            pass_fds=[listener.fileno()],
            stdout=subprocess.DEVNULL,
        )
    pages, forms = set[int](), set[int]()
    try:
        # All of them, as gunicorn forgets an end that is told to one that begins.
        deadline = time.monotonic() + 30
        while len(pages | forms) < web_server.workers and time.monotonic() < deadline:
            pages.add(who_answers(address, "/mailboxes/"))
            forms.add(who_answers(address, "/gather/x/"))
        # The one for the form gives itself a lower priority.
        assert (len(pages), len(forms), len(pages | forms)) == (2, 1, 3)
    finally:
        process.terminate()
        process.wait(30)


def number(name: str, text: str) -> int:
    found = re.search(rf"^{name}=(\d+)$", text, re.MULTILINE)
    assert found, name
    return int(found[1])


def test_web_comes_back_for_ever_and_its_socket_does_not_insist() -> None:
    text = (UNITS / "purelymanage-web.service").read_text()
    interval = number("StartLimitIntervalSec", text)
    # systemd counts all starts; of its own it makes fewer than that.
    restarts = interval / number("RestartSec", text)
    assert restarts <= number("StartLimitBurst", text)
    for name in ("worker", "migrations"):  # nothing else starts them
        text = (UNITS / f"purelymanage-{name}.service").read_text()
        assert number("StartLimitIntervalSec", text) == 0


@pytest.mark.parametrize("name", ["web", "worker", "migrations"])
def test_it_comes_back_and_ends_in_order(name: str) -> None:
    text = (UNITS / f"purelymanage-{name}.service").read_text()
    for setting in ("Type=notify", "Restart=always", "KillMode=mixed", "WatchdogSec="):
        assert f"\n{setting}" in text
    assert f"\nRestartPreventExitStatus={NEVER_MIND} {NO_CREDENTIALS}\n" in text
    stop, watchdog = (number(it, text) for it in ("TimeoutStopSec", "WatchdogSec"))
    # Nobody tells of being alive while it stops.
    assert stop < watchdog
