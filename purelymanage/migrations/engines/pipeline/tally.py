"""What the copying thread writes and the reporting thread reads.

Numbers are written by one thread only, and everything else goes through operations
that Python does in one step, so no lock is needed.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace
from datetime import datetime

from purelymanage.migrations.engines.base import (
    FolderProgress,
    ItemError,
    Phase,
    Progress,
)

MAX_ERRORS = 500
MAX_LINES = 500


class Tally:
    def __init__(self) -> None:
        self.phase = Phase.CONNECTING
        self.detail = ""
        self.folders: list[FolderProgress] = []
        self.errors: list[ItemError] = []
        # Set when somebody should have a look at once.
        self.news = threading.Event()
        self._log: deque[str] = deque(maxlen=MAX_LINES)

    def enter(self, phase: Phase, detail: str = "") -> None:
        self.phase, self.detail = phase, detail
        self.news.set()

    def note(self, line: str) -> None:
        self._log.append(line)

    def refuse(
        self,
        folder: str,
        uid: int,
        size: int,
        reason: str,
        arrived_at: datetime | None = None,
    ) -> None:
        """Remember why a message was not copied, as far as there is room."""
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(ItemError(folder, uid, size, reason, arrived_at))

    def snapshot(self) -> Progress:
        """Return the state of now; the lines of the log are handed out once."""
        lines = []
        while self._log:
            lines.append(self._log.popleft())
        return Progress(
            phase=self.phase,
            detail=self.detail,
            folders=[replace(folder) for folder in list(self.folders)],
            errors=list(self.errors),
            log=lines,
        )
