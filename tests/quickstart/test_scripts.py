from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from purelymanage.environment import BASE_DIR

OLD = """#!/bin/sh
case $2 in
  *print*) echo 3.9 ;;
  *exit*) exit 1 ;;
esac
"""
WITHOUT_VENV = """#!/bin/sh
case $2 in
  *print*) echo 3.12 ;;
  *ensurepip*) exit 1 ;;
esac
"""


def quickstart(
    folder: Path, *arguments: str, pythons: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the script of a copy whose only Python is the one in `pythons`."""
    path = f"{pythons or folder}"
    for tool in ("dirname", "sh", "uname"):
        link = Path(path) / tool
        if not link.exists():
            link.symlink_to(str(shutil.which(tool)))
    return subprocess.run(
        [folder / "deploy" / "quickstart", *arguments],
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    shutil.copytree(BASE_DIR / "deploy", tmp_path / "a clone" / "deploy")
    return tmp_path / "a clone"


def fake_python(folder: Path, script: str) -> Path:
    folder.mkdir()
    program = folder / "python3"
    program.write_text(script)
    program.chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (
            OLD,
            "PurelyManage needs Python 3.11 or newer with venv: Python 3.9 is too old.",
        ),
        (
            WITHOUT_VENV,
            "PurelyManage needs Python 3.11 or newer with venv: Python 3.12 lacks its "
            "venv module (on Debian and Ubuntu: apt install python3.12-venv).",
        ),
    ],
)
def test_an_unfit_python_is_a_sentence(
    clone: Path, tmp_path: Path, script: str, sentence: str
) -> None:
    done = quickstart(clone, pythons=fake_python(tmp_path / "bin", script))
    assert (done.returncode, done.stderr) == (1, f"{sentence}\n")


def test_another_system_is_a_sentence(clone: Path, tmp_path: Path) -> None:
    tools = fake_python(tmp_path / "bin", OLD)
    (tools / "uname").write_text("#!/bin/sh\necho Darwin\n")
    (tools / "uname").chmod(0o755)
    done = quickstart(clone, pythons=tools)
    sentence = "needs Linux: elsewhere, run it in a container or a virtual machine."
    assert (done.returncode, done.stderr) == (1, f"PurelyManage {sentence}\n")


def test_no_python_is_a_sentence(clone: Path) -> None:
    done = quickstart(clone)
    assert done.returncode == 1
    assert done.stderr.endswith("with venv: no Python was found.\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--port"], "--port needs a number from 1 to 65535."),
        (["--port", "x"], "x is no port: --port takes a number from 1 to 65535."),
        (["--port=99999"], "99999 is no port: --port takes a number from 1 to 65535."),
        (["--port", "0"], "0 is no port: --port takes a number from 1 to 65535."),
        (["start"], "There is no option start."),
    ],
)
def test_a_mistake_is_told_before_anything_is_installed(
    clone: Path, arguments: list[str], sentence: str
) -> None:
    done = quickstart(clone, *arguments)
    assert done.returncode == 2
    usage = "usage: ./deploy/quickstart [--port N] [--reset]"
    assert done.stderr == f"{sentence}\n{usage}\n"


def test_help_is_no_mistake(clone: Path) -> None:
    assert quickstart(clone, "--help").returncode == 0
