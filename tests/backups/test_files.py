from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.backups import files
from deploy.backups.problems import Failed

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def write(folder: Path, at: datetime, kind: str = "passphrase") -> Path:
    with files.writing(folder, at, kind=kind) as (path, file):
        file.write(b"x")
    return path


def test_a_backup_gets_its_name_when_all_of_it_is_there(tmp_path: Path) -> None:
    with files.writing(tmp_path, NOW, kind="passphrase") as (path, file):
        file.write(b"x")
        assert not path.exists()
        assert files.all_of(tmp_path) == []
    assert path.name == "purelymanage-20261121T030000Z.backup"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_two_in_one_second_are_two(tmp_path: Path) -> None:
    assert write(tmp_path, NOW) != write(tmp_path, NOW)
    assert len(files.all_of(tmp_path)) == 2


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(OSError, match="full"),
        files.writing(tmp_path, NOW, kind="passphrase"),
    ):
        raise OSError("full")
    assert not list(tmp_path.iterdir())


def test_what_a_killed_one_left_goes_and_what_is_whole_stays(tmp_path: Path) -> None:
    whole = write(tmp_path, NOW)
    (tmp_path / ".purelymanage-20261120T030000Z.backup.partial").touch()
    with files.locked(tmp_path):
        assert list(tmp_path.iterdir()) == [whole]
        with pytest.raises(Failed, match="Another backup"), files.locked(tmp_path):
            pass


def test_days_and_weeks_are_kept(tmp_path: Path) -> None:
    for day in range(60):
        write(tmp_path, NOW - timedelta(days=day))
    files.prune(tmp_path, days=7, weeks=4, now=NOW)
    ages = [(NOW - at).days for at, _ in files.all_of(tmp_path)]
    assert ages[:7] == [0, 1, 2, 3, 4, 5, 6]
    # The last of each week before: of a Saturday's, the Sundays.
    assert ages[7:] == [7, 13, 20, 27]
    # To do it again changes nothing.
    assert files.prune(tmp_path, days=7, weeks=4, now=NOW) == []


def test_the_newest_stays_however_old_it_is(tmp_path: Path) -> None:
    for age in (400, 500):
        write(tmp_path, NOW - timedelta(days=age), "age")
    files.prune(tmp_path, days=1, weeks=0, now=NOW)
    assert [(NOW - at).days for at, _ in files.all_of(tmp_path)] == [400]
    assert files.newest(tmp_path).name.endswith(".backup.age")


def test_what_is_no_backup_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / "purelymanage-old.backup").touch()
    files.prune(tmp_path, days=1, weeks=0, now=NOW)
    assert len(list(tmp_path.iterdir())) == 2
    with pytest.raises(Failed, match="no backup in"):
        files.newest(tmp_path)
