from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from deploy.installation import choices, configuration, places, release
from deploy.installation.machine import Failed, Machine
from purelymanage.environment import BASE_DIR
from tests.requirements import require_program

DOMAIN = "panel.example.org"
CHOSEN = choices.Choices(
    DOMAIN, f"panel@{DOMAIN}", "nginx", certbot_email="a@b.example"
)


def install(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BASE_DIR / "deploy" / "install", *arguments],
        cwd="/",
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Secrets and settings in a folder of ours, and files that nobody else owns."""
    monkeypatch.setattr(places, "CONFIG", tmp_path)
    monkeypatch.setattr(places, "SECRETS", tmp_path / "secrets")
    monkeypatch.setattr(places, "ENV", tmp_path / "env")
    monkeypatch.setattr(places, "CHOICES", tmp_path / "installation.json")
    monkeypatch.setattr(Machine, "_own", lambda *_: None)
    return tmp_path


def write_secrets(**given: Path | None) -> None:
    files = dict.fromkeys(("database_url", "token", "email_url")) | given
    configuration.write_secrets(Machine(dry=False), **files)


def test_a_dry_run_says_every_step_and_does_nothing() -> None:
    before = [place.exists() for place in (places.HOME, places.CONFIG, places.STATE)]
    done = install("--dry-run", "--domain", DOMAIN, "--certbot-email", "a@b.example")
    if "was never tried" in done.stderr or "Debian and Ubuntu" in done.stderr:
        pytest.skip("This is no Debian or Ubuntu")
    assert done.returncode == 0, done.stderr
    titles = re.findall(r"^\S.*", done.stdout, re.MULTILINE)
    assert titles == [
        *("This machine", "Packages", "User", "Program", "Database", "Secrets"),
        *("Settings", "Tables, styles and scripts", "Release in use", "Services"),
        *("Web server", "Dry run: nothing was changed."),
    ]
    for step in ("useradd", "createdb", "migrate", "collectstatic", "certbot certonly"):
        assert re.search(rf"^  run       .*{step}", done.stdout, re.MULTILINE), step
    after = [place.exists() for place in (places.HOME, places.CONFIG, places.STATE)]
    assert after == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Say where people reach the panel: --domain"),
        (["--domain", "localhost"], "localhost is no domain name"),
        (["--domain", "https://a.example"], "is no domain name"),
        (["--domain", DOMAIN], "reached by https only: give --certbot-email"),
        (["--domain", DOMAIN, "--certificate", "x"], "belong together"),
    ],
)
def test_what_is_missing_is_said(arguments: list[str], said: str) -> None:
    done = install("--dry-run", *arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_secrets_are_made_once(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = elsewhere / "token"
    token.write_text("pm-live-1\n")
    write_secrets(token=token)
    first = {path.name: path.read_text() for path in places.SECRETS.iterdir()}
    assert set(first) == {*configuration.MADE, *configuration.GIVEN}
    assert first["PURELYMAIL_API_TOKEN"] == "pm-live-1\n"
    assert {path.stat().st_mode & 0o777 for path in places.SECRETS.iterdir()} == {0o600}

    token.write_text("pm-live-2\n")
    write_secrets(token=token)
    second = {path.name: path.read_text() for path in places.SECRETS.iterdir()}
    assert second == first | {"PURELYMAIL_API_TOKEN": "pm-live-2\n"}
    said = capsys.readouterr().out
    assert not [
        it for it in (*first.values(), "pm-live") if it.strip() and it.strip() in said
    ]


def test_an_empty_file_is_no_token(elsewhere: Path) -> None:
    token = elsewhere / "token"
    token.write_text("\n")
    with pytest.raises(Failed, match="is empty"):
        write_secrets(token=token)


def test_settings_hold_no_secret_and_are_not_touched_again(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = Machine(dry=False)
    configuration.write_settings(machine, CHOSEN)
    text = places.ENV.read_text()
    assert places.ENV.stat().st_mode & 0o777 == 0o600
    assert f"\nBASE_URL=https://{DOMAIN}\n" in text
    for name in (*configuration.MADE, *configuration.GIVEN):
        if name in text:
            assert f"\n{name}_FILE={places.SECRETS / name}\n" in text
        assert f"\n{name}=" not in text

    changed = text.replace("WORKERS=2\n", "WORKERS=3\n").replace("LOG_LEVEL=INFO\n", "")
    places.ENV.write_text(changed)
    configuration.write_settings(machine, CHOSEN)
    assert places.ENV.read_text() == changed
    said = capsys.readouterr().out
    assert "New settings, which have their defaults: LOG_LEVEL (" in said


def test_services_get_every_secret() -> None:
    unit = BASE_DIR / "deploy/systemd/purelymanage-.service.d/10-common.conf"
    given = re.findall(r"^LoadCredential=(\w+):(\S+)$", unit.read_text(), re.MULTILINE)
    wanted = {*configuration.MADE, *configuration.GIVEN}
    assert dict(given) == {name: str(places.SECRETS / name) for name in wanted}


def test_a_release_is_named_by_what_is_in_it(tmp_path: Path) -> None:
    for name in release.CONTENT:
        (tmp_path / name).write_text('version = "1.2"\n')
    first = release.name_of(tmp_path)
    assert first.startswith("1.2-")
    (tmp_path / "__pycache__").mkdir()
    assert release.name_of(tmp_path) == first
    (tmp_path / "LICENSE").write_text("another")
    assert release.name_of(tmp_path) != first


def test_a_release_in_use_can_be_left_and_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "CURRENT", tmp_path / "current")
    monkeypatch.setattr(places, "PREVIOUS", tmp_path / "previous")
    machine = Machine(dry=False)
    with pytest.raises(Failed, match="no release to go back to"):
        release.switch_back(machine)
    one, two = tmp_path / "1", tmp_path / "2"
    for folder in (one, two):
        folder.mkdir()
        (folder / release.COMPLETE).touch()
        release.switch(machine, folder)
    release.switch(machine, two)
    assert places.CURRENT.readlink() == two
    assert release.switch_back(machine) == one
    assert places.CURRENT.readlink() == one
    assert release.switch_back(machine) == two


def test_scripts_have_no_obvious_mistakes() -> None:
    shellcheck = require_program("shellcheck")
    scripts = [
        path
        for path in sorted((BASE_DIR / "deploy").rglob("*"))
        if path.is_file() and path.read_bytes()[:9] == b"#!/bin/sh"
    ]
    assert len(scripts) >= 5
    done = subprocess.run(
        [shellcheck, "--external-sources", *scripts],
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
