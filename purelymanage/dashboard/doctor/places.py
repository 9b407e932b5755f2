"""What lies on this machine: static files and room on its disks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders

from purelymanage import operating
from purelymanage.dashboard import checked, machine
from purelymanage.dashboard.doctor.results import (
    Check,
    Result,
    attention,
    broken,
    good,
)


def checks() -> list[Check]:
    return [Check("static files", _static_files, seconds=10), Check("disks", _disks)]


def _static_files() -> Iterator[Result]:
    subject, root = "static files", Path(settings.STATIC_ROOT)
    manifest = root / "staticfiles.json"
    try:
        collected_at = manifest.stat().st_mtime
        paths = json.loads(manifest.read_text(encoding="utf-8"))["paths"]
    except (OSError, ValueError, KeyError):
        yield broken(
            subject,
            f"Styles and scripts were not collected to {root}.",
            operating.collect(),
        )
        return
    missing, newer = [], []
    for finder in finders.get_finders():
        for name, storage in finder.list([]):
            if name not in paths or not (root / paths[name]).is_file():
                missing.append(name)
            elif Path(storage.path(name)).stat().st_mtime > collected_at:
                newer.append(name)
    if missing:
        yield broken(
            subject,
            f"{len(missing)} are missing from {root}, among them {min(missing)}.",
            operating.collect(),
        )
    elif newer:
        yield attention(
            subject,
            f"{len(newer)} have changed since they were collected, among them "
            f"{min(newer)}.",
            operating.collect(),
        )
    else:
        yield good(subject, f"All {len(paths)} are in {root}.")


def _disks() -> Iterator[Result]:
    yield from map(checked.room_on, machine.disks())
