from __future__ import annotations

import stat
from pathlib import Path

import pytest

from purelymanage.quickstart.folder import Folder, Occupied

STATE = {"url": "http://localhost:8000", "password": "first"}


def test_a_second_start_is_told_where_the_first_one_answers(tmp_path: Path) -> None:
    first, second = Folder(tmp_path), Folder(tmp_path)
    first.lock(url="http://localhost:8123")
    with pytest.raises(Occupied, match=r"runs in this folder: http://localhost:8123$"):
        second.lock(url="http://localhost:8000")

    first.unlock()
    second.lock(url="http://localhost:8000")
    second.unlock()


def test_the_state_is_there_only_once_everything_answers(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.begin()
    assert folder.last_state() == {}
    folder.write_state(STATE)
    path = tmp_path / "quickstart.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    folder.begin()
    assert not path.exists()
    assert folder.last_state() == STATE
    # A start that did not get far must not lose the password.
    folder.begin()
    assert folder.last_state() == STATE


def test_a_damaged_state_is_no_state(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.begin()
    (tmp_path / "quickstart.json").write_text('["')
    folder.begin()
    assert folder.last_state() == {}


def test_the_previous_log_is_kept(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.begin()
    folder.log("web").write_text("first")
    assert not folder.log("web").exists()
    assert (tmp_path / "log" / "web.log.1").read_text() == "first"


def test_a_reset_leaves_nothing_but_the_lock(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.lock(url="http://localhost:8000")
    folder.begin()
    folder.write_state(STATE)
    folder.log("web").write_text("line")
    (tmp_path / "env").write_text("A=b")
    folder.sandbox.mkdir()
    (tmp_path / "sandbox" / "account.json").write_text("{}")
    folder.empty()
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]
    folder.unlock()


def test_a_real_account_needs_no_folder_for_the_demo(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.begin()
    assert not folder.sandbox.exists()
