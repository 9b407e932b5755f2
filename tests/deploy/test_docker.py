from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.installation import configuration
from purelymanage.environment import BASE_DIR

DOCKER = BASE_DIR / "deploy" / "docker"


def make_secrets(folder: Path, token: str) -> dict[str, str]:
    shutil.copy(DOCKER / "make-secrets", folder)
    subprocess.run(
        [folder / "make-secrets"],
        input=token,
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return {path.name: path.read_text() for path in (folder / "secrets").iterdir()}


def test_secrets_are_made_once(tmp_path: Path) -> None:
    first = make_secrets(tmp_path, "pm-live-1")
    assert first["PURELYMAIL_API_TOKEN"] == "pm-live-1"
    assert first["DATABASE_PASSWORD"].strip() in first["DATABASE_URL"]
    assert make_secrets(tmp_path, "pm-live-2") == first
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


def test_a_token_can_be_given_later(tmp_path: Path) -> None:
    first = make_secrets(tmp_path, "")
    assert first["PURELYMAIL_API_TOKEN"] == ""
    second = make_secrets(tmp_path, "pm-live-1")
    assert second == first | {"PURELYMAIL_API_TOKEN": "pm-live-1"}


def test_every_secret_is_made_and_given(tmp_path: Path) -> None:
    composed = (DOCKER / "compose.yaml").read_text()
    named = set(re.findall(r"file: secrets/(\w+)", composed))
    assert named == set(make_secrets(tmp_path, "pm-live-1"))
    given = set(re.findall(r"^    - ([A-Z_]+)$", composed, re.MULTILINE))
    assert given == {*configuration.MADE, *configuration.GIVEN}


@pytest.mark.skipif(not shutil.which("hadolint"), reason="hadolint is not installed")
def test_the_recipe_has_no_obvious_mistakes() -> None:
    done = subprocess.run(
        ["hadolint", DOCKER / "Dockerfile"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(not shutil.which("docker"), reason="docker is not installed")
def test_the_composition_is_valid(tmp_path: Path) -> None:
    if subprocess.run(
        ["docker", "compose", "version"],  # noqa: S607
        capture_output=True,
        check=False,
    ).returncode:
        pytest.skip("docker has no compose")
    done = subprocess.run(
        ["docker", "compose", "-f", DOCKER / "compose.yaml", "config", "-q"],  # noqa: S607
        env={"PANEL_DOMAIN": "panel.example.org", "PATH": "/usr/bin:/usr/local/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
