from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.backups import settings
from deploy.backups.problems import Failed

SAVED = {
    "SECRET_KEY": "old-secret",
    "ENCRYPTION_KEYS": "1:old",
    "AUDIT_KEY": "old-audit",
    "EMAIL_URL": "smtp://old",
    "DATABASE_URL": "postgres://old",
    "STATIC_ROOT": "/old",
    "QUICKSTART_ACCOUNT": "sandbox",
}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("ENV_FILE", *settings.known()):
        monkeypatch.delenv(name, raising=False)
    yield


def env_file(folder: Path, text: str) -> Path:
    path = folder / "env"
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_secrets_are_taken_from_their_files(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("from-a-file\n")
    path = env_file(
        tmp_path,
        f"# A remark\nSECRET_KEY='with a #'\nAUDIT_KEY_FILE={tmp_path / 'audit'}\n"
        "AUDIT_CHECKPOINT_FILE=/var/notes\nEMAIL_URL=\n",
    )
    assert settings.load(path).all() == {
        "AUDIT_CHECKPOINT_FILE": "/var/notes",
        "AUDIT_KEY": "from-a-file",
        "SECRET_KEY": "with a #",
    }


def test_what_the_environment_says_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIT_KEY", "from-the-environment")
    found = settings.load(env_file(tmp_path, "AUDIT_KEY=from-the-file\n"))
    assert found.get("AUDIT_KEY") == "from-the-environment"


def test_where_there_is_no_file_the_environment_has_them_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "PLACES", (tmp_path / "nothing",))
    (tmp_path / "token").write_text("from-a-file\n")
    given = {
        "AUDIT_KEY": "a",
        "BASE_URL": "https://panel.example",
        "DATABASE_POOL": "5",
        "SESSION_IDLE_HOURS": "4",
        "IMAP_CA_FILE": "/authorities",
    }
    files = {"METRICS_TOKEN_FILE": str(tmp_path / "token")}
    for name, value in (given | files | {"HOME": "/root", "EMAIL_URL": ""}).items():
        monkeypatch.setenv(name, value)
    found = settings.load(None)
    assert found.path is None
    assert found.all() == given | {"METRICS_TOKEN": "from-a-file"}


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="There is no file"):
        settings.load(tmp_path / "nothing")
    found = settings.load(env_file(tmp_path, "AUDIT_KEY_FILE=/nowhere\n"))
    with pytest.raises(Failed, match="AUDIT_KEY_FILE names"):
        found.get("AUDIT_KEY")


def test_keys_go_back_to_where_the_settings_have_them(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("new-audit\n")
    path = env_file(
        tmp_path,
        "# A remark\nSECRET_KEY=new-secret\nENCRYPTION_KEYS=1:new\n"
        f"AUDIT_KEY_FILE={tmp_path / 'audit'}\nAUDIT_KEY_FALLBACKS=none\n"
        "DATABASE_URL=postgres://new\nBASE_URL=https://new\n",
    )
    changed = settings.put_back(settings.load(path), SAVED | {"BASE_URL": "x"})
    assert set(changed) == {*settings.NEEDED, "AUDIT_KEY_FALLBACKS", "EMAIL_URL"}
    found = settings.load(path)
    assert found.all() == {
        "SECRET_KEY": "old-secret",
        "ENCRYPTION_KEYS": "1:old",
        "AUDIT_KEY": "old-audit",
        "EMAIL_URL": "smtp://old",
        # What is about this machine, or was set here, stays.
        "DATABASE_URL": "postgres://new",
        "BASE_URL": "https://new",
    }
    assert path.read_text().startswith("# A remark\n")
    assert (tmp_path / "audit").read_text() == "old-audit\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert settings.put_back(found, SAVED) == []


def test_a_key_of_the_environment_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIT_KEY", "another")
    path = env_file(tmp_path, "SECRET_KEY=new\n")
    with pytest.raises(Failed, match="environment sets AUDIT_KEY"):
        settings.put_back(settings.load(path), SAVED)
    assert path.read_text() == "SECRET_KEY=new\n"
