from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from purelymanage.dashboard.doctor import packages
from purelymanage.dashboard.doctor.results import Result, Tone, good


@pytest.fixture(autouse=True)
def _nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def answer(folder: Path, *dependencies: dict[str, Any]) -> None:
    """Stand in for pip-audit with what it prints."""
    text = json.dumps({"dependencies": dependencies, "fixes": []})
    program = folder / "pip-audit"
    program.write_text(f"#!/bin/sh\necho '{text}'\n")
    program.chmod(0o755)


def look() -> Result:
    (check,) = packages.checks()
    (found,) = check.look()
    return found


def test_the_lock_tells_about_when_it_was_renewed() -> None:
    lock = packages.LOCK.read_text()
    renewed = packages.renewed_on(lock)
    assert renewed is not None
    assert date(2026, 1, 1) < renewed <= timezone.now().date()


@pytest.mark.parametrize(
    ("version", "renewed"),
    [
        ("certifi==2026.10.8 \\", date(2026, 10, 8)),
        ("publicsuffixlist==1.1.2.20261023 \\", date(2026, 10, 23)),
        ("tzdata==2026.6 ; sys_platform == 'win32' \\", None),
        ("odd==2026.13.40 \\", None),
        ("it==3.20261023 \\\n    --hash=sha256:20261101 \\", date(2026, 10, 23)),
    ],
)
def test_some_versions_are_days(version: str, renewed: date | None) -> None:
    assert packages.renewed_on(f"django==5.2.19 \\\n{version}\n") == renewed


@pytest.mark.parametrize(
    ("now", "tone"), [((2027, 1, 21), Tone.GOOD), ((2027, 1, 22), Tone.ATTENTION)]
)
def test_what_is_older_than_ninety_days_is_told(
    now: tuple[int, int, int],
    tone: Tone,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lock = tmp_path / "lock"
    lock.write_text("publicsuffixlist==1.1.2.20261023 \\\n")
    monkeypatch.setattr(packages, "LOCK", lock)
    monkeypatch.setattr(timezone, "now", lambda: datetime(*now, tzinfo=UTC))
    found = look()
    assert found.tone == tone
    assert "around 23 October 2026" in found.sentence


def test_known_holes_are_named(tmp_path: Path) -> None:
    sound = {"name": "idna", "version": "3.20", "vulns": []}
    answer(tmp_path, sound)
    assert look() == good("packages", "pip-audit knows no hole in any of the 1.")
    hole = {"id": "PYSEC-2027-1", "fix_versions": ["5.2.20"], "aliases": []}
    answer(tmp_path, sound, {"name": "django", "version": "5.2.19", "vulns": [hole]})
    found = look()
    assert found.tone == Tone.BROKEN
    assert found.sentence == "Holes are known in django 5.2.19 (PYSEC-2027-1)."


def test_what_was_not_looked_up_is_not_called_well(tmp_path: Path) -> None:
    answer(tmp_path, {"name": "idna", "skip_reason": "Dependency not found on PyPI"})
    assert "renewed" in look().sentence
    (tmp_path / "pip-audit").write_text("#!/bin/sh\necho no connection >&2\nexit 1\n")
    assert "renewed" in look().sentence
