from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
from django.db import OperationalError

from purelymanage import command_line
from purelymanage.environment import BASE_DIR
from purelymanage.quickstart import environment

ABSENT = (
    'connection is bad: connection to server on socket "…" failed: '
    "No such file or directory\n\tIs the server running locally?"
)
LOCKED_OUT = 'connection failed: … failed: FATAL:  role "somebody" does not exist'


@pytest.mark.slow
def test_a_database_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    url = f"postgres://postgres@/nothing?host={tmp_path}"
    done = subprocess.run(
        [sys.executable, "manage.py", "sync"],
        cwd=BASE_DIR,
        env=os.environ
        | {
            "ENV_FILE": os.devnull,
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "purelymanage.settings",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "The database does not answer; DATABASE_URL says where it should be.\n"
    )


def test_a_stopped_quickstart_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.write(tmp_path / "env", {"DATABASE_URL": "postgres://there"})
    monkeypatch.setattr(environment, "VAR", tmp_path)
    monkeypatch.setenv("DATABASE_URL", "postgres://there")
    with (
        mock.patch.object(
            command_line,
            "execute_from_command_line",
            side_effect=OperationalError(ABSENT),
        ),
        pytest.raises(SystemExit, match=r"quickstart in this folder is not running"),
    ):
        command_line.run(["manage.py", "migrate"])


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (LOCKED_OUT, 'role "somebody" does not exist'),
        ("connection is bad: … failed: Permission denied", "Permission denied"),
        ("failed to resolve host 'x': [Errno -2]", "failed to resolve host 'x'"),
    ],
)
def test_what_keeps_from_the_database_is_a_sentence(said: str, reason: str) -> None:
    with (
        mock.patch.object(
            command_line,
            "execute_from_command_line",
            side_effect=OperationalError(said),
        ),
        pytest.raises(SystemExit, match=f"lets nobody in: {reason}"),
    ):
        command_line.run(["manage.py", "migrate"])


def test_other_trouble_with_the_database_is_shown_as_it_is() -> None:
    with (
        mock.patch.object(
            command_line,
            "execute_from_command_line",
            side_effect=OperationalError("disk full"),
        ),
        pytest.raises(OperationalError),
    ):
        command_line.run(["manage.py", "migrate"])
