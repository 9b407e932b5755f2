from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from purelymanage.environment import BASE_DIR, required_secrets, secret


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


def test_a_file_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AUDIT_KEY", raising=False)
    monkeypatch.setenv("AUDIT_KEY_FILE", str(tmp_path / "nothing"))
    with pytest.raises(SystemExit, match="AUDIT_KEY_FILE"):
        secret("AUDIT_KEY")


def test_all_missing_secrets_are_named_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AUDIT_KEY", raising=False)
    monkeypatch.delenv("SECRET_KEY", raising=False)
    with pytest.raises(SystemExit, match="SECRET_KEY, AUDIT_KEY: set them"):
        required_secrets("SECRET_KEY", "AUDIT_KEY")


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["SECRET_KEY", "ENCRYPTION_KEYS", "AUDIT_KEY"])
def test_no_command_starts_without_its_secrets(missing: str) -> None:
    env = os.environ | {"ENV_FILE": os.devnull}
    env |= {"DJANGO_SETTINGS_MODULE": "purelymanage.settings"}
    env.pop(missing)
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=BASE_DIR,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"PurelyManage cannot start without {missing}: set it"
    )
    assert len(done.stderr.splitlines()) == 1
