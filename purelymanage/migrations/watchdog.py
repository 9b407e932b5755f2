"""How long a copy may show no movement before it is taken to be stuck."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from purelymanage.migrations.engines.base import FolderProgress, Phase, Progress

MINUTE = timedelta(minutes=1)
# Figures move with each folder that was read and each message that was copied.
PATIENCE = {
    Phase.CONNECTING: 3 * MINUTE,
    Phase.LISTING: 10 * MINUTE,
    Phase.READING: 20 * MINUTE,
    Phase.COPYING: 10 * MINUTE,
    Phase.COMPARING: 20 * MINUTE,
    Phase.DONE: 5 * MINUTE,
}
# What the slowest of servers still manage in a minute.
HEADERS_A_MINUTE = 5_000
BYTES_A_MINUTE = 1_000_000


def patience(progress: Progress) -> timedelta:
    """Return how long the present phase may go without any movement."""
    usual = PATIENCE[progress.phase]
    folders = progress.folders
    match progress.phase:
        case Phase.READING | Phase.COMPARING:
            # A folder is reported when all its headers are there.
            return usual + MINUTE * (_most_messages(folders) / HEADERS_A_MINUTE)
        case Phase.COPYING:
            largest = max((it.largest for it in folders), default=0)
            return usual + MINUTE * (largest / BYTES_A_MINUTE)
    return usual


def trace(progress: Progress) -> tuple[object, ...]:
    """Return what differs as soon as anything has moved."""
    return (
        progress.phase,
        progress.detail,
        len(progress.errors),
        *((it.state, it.messages, it.copied, it.failed) for it in progress.folders),
    )


def _most_messages(folders: Sequence[FolderProgress]) -> int:
    return max((it.messages for it in folders), default=0)
