from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

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
    # As long as Django wants it (security.W009).
    assert len(first["SECRET_KEY"]) >= 50
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


def test_the_recipe_has_no_obvious_mistakes() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), DOCKER / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def composed(compose: Path) -> tuple[str, str]:
    """Return what Docker Compose makes of a file, and what it objects to."""
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("docker-compose"), "--file", compose),
            *("config", "--services"),
        ],
        env={"PANEL_DOMAIN": "panel.example.org"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout, done.stderr


def test_the_composition_is_valid(tmp_path: Path) -> None:
    services, objections = composed(DOCKER / "compose.yaml")
    assert not objections
    assert set(services.split()) == {
        *("database", "prepare", "web", "worker", "migrations")
    }
    wrong = tmp_path / "compose.yaml"
    text = (DOCKER / "compose.yaml").read_text()
    wrong.write_text(text.replace("mem_limit:", "memory_limit:"))
    services, objections = composed(wrong)
    assert not services
    assert "memory_limit" in objections
