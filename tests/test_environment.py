from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import environ
import pytest

from purelymanage.environment import (
    BASE_DIR,
    NEVER_MIND,
    flag,
    number,
    read_env_file,
    required_secrets,
    secret,
    time_zone,
)
from tests.refusals import stops


def test_a_secret_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_KEY", "from-the-environment")
    assert secret("AUDIT_KEY") == "from-the-environment"


def test_a_secret_comes_from_the_file_that_name_file_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("from-a-file\n")
    monkeypatch.delenv("AUDIT_KEY", raising=False)
    monkeypatch.setenv("AUDIT_KEY_FILE", str(tmp_path / "key"))
    assert secret("AUDIT_KEY") == "from-a-file"


def test_a_credential_of_systemd_comes_before_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "AUDIT_KEY").write_text("from-systemd\n")
    (tmp_path / "PURELYMAIL_API_TOKEN").write_text("")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    for name in ("AUDIT_KEY", "PURELYMAIL_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "nothing"))
    assert secret("AUDIT_KEY") == "from-systemd"
    assert secret("PURELYMAIL_API_TOKEN", "none") == "none"


def test_a_file_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AUDIT_KEY", raising=False)
    monkeypatch.setenv("AUDIT_KEY_FILE", str(tmp_path / "nothing"))
    with stops("AUDIT_KEY_FILE names .*/nothing, but there is no such file."):
        secret("AUDIT_KEY")


def test_so_is_one_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AUDIT_KEY", raising=False)
    monkeypatch.setenv("AUDIT_KEY_FILE", str(tmp_path))
    with stops("AUDIT_KEY_FILE: .* cannot be read: Is a directory."):
        secret("AUDIT_KEY")
    (tmp_path / "key").write_bytes(b"\xff")
    monkeypatch.setenv("AUDIT_KEY_FILE", str(tmp_path / "key"))
    with stops(".*/key is no text."):
        secret("AUDIT_KEY")


def test_all_missing_secrets_are_named_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AUDIT_KEY", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    empty = tmp_path / "key"
    empty.touch()
    monkeypatch.setenv("AUDIT_KEY_FILE", str(empty))
    with stops(r"without SECRET_KEY, AUDIT_KEY \(.*/key is empty\): set them in"):
        required_secrets("SECRET_KEY", "AUDIT_KEY")


@pytest.fixture
def settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "env"
    monkeypatch.setenv("ENV_FILE", str(path))
    monkeypatch.setattr(environ.Env, "ENVIRON", {})
    return path


def test_settings_are_read_from_their_file(settings_file: Path) -> None:
    settings_file.write_text("# A remark\n\n  \nexport A='with #'\nB=two=2\nC=\n")
    read_env_file()
    assert environ.Env.ENVIRON == {"A": "with #", "B": "two=2", "C": ""}


def test_a_file_of_settings_that_is_none_is_told(settings_file: Path) -> None:
    with stops("ENV_FILE names .*/env, but there is no such file."):
        read_env_file()
    settings_file.mkdir()
    with stops("settings in .*/env cannot be read: Is a directory."):
        read_env_file()


def test_a_line_that_is_no_setting_is_told_and_not_shown(settings_file: Path) -> None:
    settings_file.write_text("A=1\nSECRET_KEY = canary\n")
    with stops("Line 2 of .*/env does not read NAME=value."):
        read_env_file()
    assert environ.Env.ENVIRON == {}


def test_numbers_have_a_range(monkeypatch: pytest.MonkeyPatch) -> None:
    assert number("UNSET", 7) == 7
    for given, meant in ({"": 7, " 12 ": 12, "1": 1}).items():
        monkeypatch.setenv("WORKERS", given)
        assert number("WORKERS", 7, least=1) == meant
    for wrong in ("two", "0", "-1", "1.5", "²"):
        monkeypatch.setenv("WORKERS", wrong)
        with stops("WORKERS must be a number, 1 or more."):
            number("WORKERS", 7, least=1)
    monkeypatch.setenv("WORKERS", "65536")
    with stops("WORKERS must be a number, from 1 to 65535."):
        number("WORKERS", 7, least=1, most=65535)


def test_flags_are_on_or_off(monkeypatch: pytest.MonkeyPatch) -> None:
    for given, meant in {"": True, "On": True, "1": True, "off": False}.items():
        monkeypatch.setenv("FLAG", given)
        assert flag("FLAG", default=True) is meant
    monkeypatch.setenv("FLAG", "maybe")
    with stops("FLAG must be on or off."):
        flag("FLAG", default=True)


def test_time_zones_have_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIME_ZONE", "Europe/Berlin")
    assert time_zone("TIME_ZONE", "UTC") == "Europe/Berlin"
    for wrong in ("Berlin", "Europe", "../etc/passwd"):
        monkeypatch.setenv("TIME_ZONE", wrong)
        with stops("TIME_ZONE must be a time zone, such as"):
            time_zone("TIME_ZONE", "UTC")


QCLUSTER = ["manage.py", "qcluster", "--skip-checks"]
WEB = ["-m", "gunicorn", "--config", "python:purelymanage.web_server"]


def start(program: list[str], **changed: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"ENV_FILE": os.devnull}
    env |= {"DJANGO_SETTINGS_MODULE": "purelymanage.settings"}
    # One that is not there is warned of.
    env |= {"STATIC_ROOT": str(BASE_DIR / "static"), **changed}
    return subprocess.run(
        [sys.executable, *program],
        cwd=BASE_DIR,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "changed", "said"),
    [
        (["manage.py", "check"], {"SECRET_KEY": ""}, "It cannot do without SECRET_KEY"),
        (
            ["manage.py", "migrate"],
            {"ENCRYPTION_KEYS": "", "AUDIT_KEY": ""},
            "It cannot do without ENCRYPTION_KEYS, AUDIT_KEY",
        ),
        (WEB, {"ENV_FILE": "/nowhere"}, "ENV_FILE names /nowhere, but there is no"),
        (WEB, {"ENCRYPTION_KEYS": "1:canary"}, "ENCRYPTION_KEYS must read id:base64"),
        (QCLUSTER, {"WORKERS": "many"}, "WORKERS must be a number, 1 or more."),
        (
            QCLUSTER,
            {"Q_CLUSTER_NAME": "migrations", "DATABASE_URL": "canary"},
            "DATABASE_URL must read postgres://",
        ),
    ],
)
def test_nothing_starts_and_nobody_tries_again(
    program: list[str], changed: dict[str, str], said: str
) -> None:
    done = start(program, **changed)
    assert done.returncode == NEVER_MIND, done.stderr
    assert done.stderr.startswith(f"PurelyManage does not start. {said}")
    assert len(done.stderr.splitlines()) == 1
    assert "canary" not in done.stderr
