"""What imapsync 2.229 printed in 17 situations, kept beside the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from purelymanage.imap.account import Account
from purelymanage.imap.errors import ImapError
from purelymanage.migrations.engines.imapsync.outcome import find_failure
from purelymanage.migrations.engines.imapsync.parsing import Transcript

FOLDER = Path(__file__).parents[5] / "shared" / "reference" / "imapsync-logs"
USER = "boss@example.com"
ACCOUNTS = (
    Account(host="old.example", port=993, user=USER, password="1", side="source"),
    Account(host="new.example", port=993, user=USER, password="2", side="destination"),
)
# How the process ended where its last line does not say.
SIGNALS = {"killed": -9, "stopped-by-sigint": -2, "stopped-by-sigterm": -15}


def output(name: str) -> list[str]:
    file = FOLDER / f"{name}.txt"
    if not file.exists():
        pytest.skip(f"the recorded output {name} is not here")
    return file.read_text(encoding="utf-8").splitlines()


def read(lines: list[str]) -> tuple[Transcript, list[str]]:
    """Return what was understood, and what would go to the log."""
    transcript = Transcript(users=[USER])
    shown = [transcript.feed(line) for line in lines]
    return transcript, [line for line in shown if line]


def failure(transcript: Transcript, name: str) -> ImapError | None:
    status = SIGNALS.get(name)
    if status is None:
        assert transcript.exit is not None
        status = transcript.exit.code
    return find_failure(transcript, status, ACCOUNTS)
