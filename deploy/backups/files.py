"""The folder of backups: names, writing at once or not at all, and pruning."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from deploy.backups.problems import Failed

SUFFIXES = {"passphrase": ".backup", "age": ".backup.age"}
NAME = re.compile(r"^purelymanage-(\d{8}T\d{6}Z)\.backup(?:\.age)?$")
TIME = "%Y%m%dT%H%M%SZ"
PARTIAL = ".partial"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make the folder if need be, and let nobody else write a backup to it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise Failed(f"Another backup to {folder} is being made.") from exc
        # Whoever was killed has left half of one.
        for path in folder.glob(f".purelymanage-*{PARTIAL}"):
            path.unlink()
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def writing(
    folder: Path, at: datetime, *, kind: str
) -> Iterator[tuple[Path, BinaryIO]]:
    """Give a file that gets its name only when all of it is on the disk."""
    while (final := folder / _name(at, kind)).exists():
        at += timedelta(seconds=1)
    draft = folder / f".{final.name}{PARTIAL}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield final, file
            file.flush()
            os.fsync(file.fileno())
        draft.rename(final)
        _sync(folder)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _name(at: datetime, kind: str) -> str:
    return f"purelymanage-{at.astimezone(UTC).strftime(TIME)}{SUFFIXES[kind]}"


def all_of(folder: Path) -> list[tuple[datetime, Path]]:
    """Return the backups in a folder, the newest first."""
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        if match := NAME.match(path.name):
            at = datetime.strptime(match[1], TIME).replace(tzinfo=UTC)
            found.append((at, path))
    return sorted(found, reverse=True)


def newest(folder: Path) -> Path:
    found = all_of(folder)
    if not found:
        raise Failed(f"There is no backup in {folder}.")
    return found[0][1]


def prune(folder: Path, *, days: int, weeks: int, now: datetime) -> list[Path]:
    """Remove what is older than `days`, but for one of each of `weeks`.

    The newest stays however old it is: it is all there is.
    """
    removed = []
    weekly: set[tuple[int, int]] = set()
    for at, path in all_of(folder)[1:]:
        week = at.isocalendar()[:2]
        if at > now - timedelta(days=days):
            continue
        if at > now - timedelta(weeks=weeks) and week not in weekly:
            weekly.add(week)
            continue
        path.unlink()
        removed.append(path)
    if removed:
        _sync(folder)
    return removed


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
