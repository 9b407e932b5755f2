"""Signed notes of how long the chain was and how it ended, kept outside the database."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

from django.conf import settings

from purelymanage.audit import chain
from purelymanage.audit.mail import queue_mail
from purelymanage.audit.verification import Position

logger = logging.getLogger(__name__)

_addresses: list[Callable[[], str]] = []


class Forged(Exception):
    """A checkpoint that this panel did not sign."""


def register_address(read: Callable[[], str]) -> None:
    """Let `read` name an address that checkpoints are mailed to, or none."""
    _addresses.append(read)


def write(position: Position, at: datetime) -> str:
    """Return a checkpoint: one line of JSON."""
    note = {
        "panel": settings.BASE_URL,
        "entries": position.sequence,
        "head": position.hmac,
        "at": at.isoformat(timespec="seconds"),
    }
    return json.dumps(note | {"signature": chain.sign(_signed(note))})


def read(lines: Iterable[str]) -> Iterator[Position]:
    """Yield the checkpoints in a file or in the text of a mail."""
    for number, line in enumerate(lines, start=1):
        # A reply quotes with "> ".
        text = line.lstrip("> \t").strip()
        if not text.startswith("{"):
            continue
        try:
            note = json.loads(text)
            signature = str(note.pop("signature"))
            position = Position(int(note["entries"]), str(note["head"]))
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise Forged(f"Line {number} is no checkpoint.") from exc
        if not chain.is_signed(_signed(note), signature):
            raise Forged(
                f"The checkpoint in line {number} was not signed by AUDIT_KEY."
            )
        yield position


def hand_out(position: Position, at: datetime) -> None:
    """Give a checkpoint to whoever keeps them, as the settings say."""
    line = write(position, at)
    if settings.AUDIT_CHECKPOINT_FILE:
        try:
            _append(Path(settings.AUDIT_CHECKPOINT_FILE), line)
        except OSError:
            logger.exception("The audit checkpoint could not be written.")
    addresses = {settings.AUDIT_CHECKPOINT_EMAIL, *(read() for read in _addresses)}
    for address in sorted(filter(None, addresses)):
        queue_mail(
            to=address,
            subject=f"Audit checkpoint: {position.sequence} entries",
            text=(
                f"The audit log of {settings.BASE_URL} has {position.sequence} entries "
                "and each is as it was written.\n\n"
                "Keep this mail where nobody who runs the panel can change it. "
                "`manage.py verify_audit --checkpoint FILE` takes it as it is and tells "
                f"whether entries are missing since.\n\n{line}\n"
            ),
        )


def _append(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
        file.flush()
        os.fsync(file.fileno())


def _signed(note: dict[str, object]) -> str:
    return "checkpoint " + json.dumps(note, sort_keys=True, separators=(",", ":"))
