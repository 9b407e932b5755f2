from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from purelymanage.migrations.engines import (
    EngineUnavailable,
    get_engine,
    imapsync_version,
)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Path]:
    """Something that answers like imapsync, known by its path."""
    file = tmp_path / "imapsync"
    file.write_text('#!/bin/sh\necho asked >> "$0.log"\necho 2.290\n')
    file.chmod(0o755)
    with override_settings(IMAPSYNC_BIN=str(file)):
        yield file


@pytest.mark.parametrize("name", ["auto", "pipeline"])
def test_our_own_engine_is_always_there(name: str) -> None:
    assert get_engine(name).name == "pipeline"
    assert imapsync_version() is None


def test_an_engine_that_is_not_there_is_named() -> None:
    with pytest.raises(EngineUnavailable, match=r"imapsync is not installed.*README"):
        get_engine("imapsync")
    with pytest.raises(EngineUnavailable, match="no engine named rsync"):
        get_engine("rsync")


def test_auto_takes_imapsync_where_it_is_installed(program: Path) -> None:
    assert get_engine("auto").name == "imapsync"
    assert get_engine("imapsync").name == "imapsync"
    assert get_engine("pipeline").name == "pipeline"


def test_a_program_is_found_by_name(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with override_settings(IMAPSYNC_BIN="imapsync"):
        monkeypatch.setenv("PATH", "/nowhere")
        assert get_engine("auto").name == "pipeline"
        monkeypatch.setenv("PATH", str(program.parent))
        assert get_engine("auto").name == "imapsync"


def test_what_may_not_be_executed_is_no_program(program: Path) -> None:
    program.chmod(0o644)
    assert get_engine("auto").name == "pipeline"
    assert imapsync_version() is None


def test_the_version_is_asked_once(program: Path) -> None:
    assert [imapsync_version() for _ in range(3)] == ["2.290"] * 3
    log = Path(f"{program}.log")
    assert log.read_text() == "asked\n"

    program.write_text("#!/bin/sh\necho Can\\'t locate Unicode/String.pm in @INC\n")
    assert imapsync_version() == "", "a broken one has none"
