from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from unittest import mock

import environ
import pytest

from purelymanage.environment import BASE_DIR
from purelymanage.quickstart import environment


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_secrets_are_for_nobody_else(tmp_path: Path) -> None:
    environment.ensure_secrets(tmp_path / "var")
    assert mode(tmp_path / "var") == 0o700
    assert mode(tmp_path / "var" / "env") == 0o600


def test_the_secrets_stay_the_same(tmp_path: Path) -> None:
    environment.ensure_secrets(tmp_path)
    first = environment.read(tmp_path / "env")
    environment.ensure_secrets(tmp_path)
    assert environment.read(tmp_path / "env") == first
    assert len(set(first.values())) == len(first) == 4


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("in the way")
    with pytest.raises(SystemExit, match="var cannot be written"):
        environment.ensure_secrets(tmp_path / "var")


def test_settings_are_read_as_they_were_written(tmp_path: Path) -> None:
    values = {"PLAIN": "a", "SPACED": "a b # c", "QUOTED": "it's", "DOLLAR": "$A"}
    path = tmp_path / "env"
    environment.write(path, values)
    assert environment.read(path) == values

    with mock.patch.dict(os.environ):
        environ.Env.read_env(path)
        assert {name: os.environ[name] for name in values} == values


def test_lines_without_quotes_are_understood(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("# A comment = x\nEMAIL_URL=smtp://a:b@c\n\n")
    assert environment.read(tmp_path / "env") == {"EMAIL_URL": "smtp://a:b@c"}


def test_a_half_written_file_is_never_seen(tmp_path: Path) -> None:
    path = tmp_path / "file"
    environment.write_private(path, "before")
    with pytest.raises(UnicodeEncodeError):
        environment.write_private(path, "after \ud800")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_children_do_not_see_settings_of_another_installation() -> None:
    shell = {
        "PATH": "/bin",
        "DATABASE_URL": "postgres://production",
        "SECRET_KEY_FILE": "/etc/secret",
        "PURELYMAIL_API_TOKEN": "pm-live-x",
        "EMAIL_URL": "consolemail://",
    }
    seen = environment.for_children(shell, Path("/var/env"))
    assert seen == {
        "PATH": "/bin",
        "EMAIL_URL": "consolemail://",
        "ENV_FILE": "/var/env",
        "DJANGO_SETTINGS_MODULE": "purelymanage.settings",
        "PYTHONUNBUFFERED": "1",
    }


def test_every_setting_is_explained() -> None:
    source = (BASE_DIR / "purelymanage" / "settings.py").read_text()
    names = set(re.findall(r'(?:env\.\w+|secret)\(\s*"([A-Z_]+)"', source))
    names |= {"SECRET_KEY", "ENCRYPTION_KEYS", "AUDIT_KEY", "DATABASE_URL"}
    example = (BASE_DIR / "deploy" / "env.example").read_text()
    assert names - set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)) == set()
