from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from django.core.management import CommandError, call_command

from purelymanage.environment import BASE_DIR

MANAGE = BASE_DIR / "manage.py"


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_runs_until_it_is_told_to_stop(tmp_path: Path, number: int) -> None:
    ready, token = tmp_path / "ready.json", tmp_path / "token"
    command = [
        sys.executable,
        str(MANAGE),
        "sandbox",
        "--state",
        str(tmp_path / "state"),
    ]
    files = ["--ready-file", str(ready), "--token-file", str(token)]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    with subprocess.Popen(
        [*command, *files], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            wait_for(ready, process)
            assert stat.S_IMODE(ready.stat().st_mode) == 0o600
            found = json.loads(ready.read_text())
            assert set(found) == {
                "api_url",
                "api_token",
                "dns",
                "source_imap",
                "source_user",
                "source_password",
                "destination_imap",
                "ca_file",
            }
            assert found["api_token"] == token.read_text().strip()
            headers = {"Purelymail-Api-Token": found["api_token"]}
            url = f"{found['api_url']}/api/v0/listUser"
            answer = requests.post(url, json={}, headers=headers, timeout=5).json()
            assert len(answer["result"]["users"]) == 40
            for part in ("source_imap", "destination_imap"):
                host, _, port = found[part].partition(":")
                socket.create_connection((host, int(port)), 5).close()
            start = time.monotonic()
            process.send_signal(number)
            output, _ = process.communicate(timeout=10)
            assert time.monotonic() - start < 2
            assert process.returncode == 0
        finally:
            process.kill()
    assert found["api_url"] in output
    assert found["api_token"] not in output
    assert not ready.exists()


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    ready.write_text("of the one that runs")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        expected = f"The sandbox cannot start. Port {port} for the API: address already"
        with pytest.raises(CommandError, match=expected):
            call_command("sandbox", api_port=port, ready_file=ready)
    assert ready.exists()


def test_an_empty_token_file_is_refused(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("\n")
    with pytest.raises(CommandError, match="is empty"):
        call_command("sandbox", token_file=token)
