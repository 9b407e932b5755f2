"""How far a bulk change is, whatever it changes: words, tones, figures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import ClassVar

from django.utils import timezone

from purelymanage.figures import thin
from purelymanage.mailboxes.bulk.running import LEFT_TO_PEOPLE
from purelymanage.mailboxes.bulk.wording import outcome_of
from purelymanage.mailboxes.bulk.work import AnyBulk
from purelymanage.mailboxes.models import Bulk, BulkRow
from purelymanage.purelymail import budget

State = BulkRow.State
# In the order of the bar.
TONES = {
    State.DONE: ("good", "Done"),
    State.SAME: ("good", "Already so"),
    State.WORKING: ("running", "Being done"),
    State.WAITING: ("waiting", "Waiting"),
    State.LEFT_OUT: ("attention", "Left out"),
    State.FAILED: ("broken", "Failed"),
}
BULK_TONES = {
    Bulk.State.DRAFT: "waiting",
    Bulk.State.RUNNING: "running",
    Bulk.State.STOPPED: "attention",
    Bulk.State.DONE: "good",
    Bulk.State.CANCELLED: "waiting",
}
# The values by which rows can be filtered.
TABS = {state.value for state in State}
PACE_SEEN = timedelta(minutes=2)
ENOUGH_ROWS = 5


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one state, as a piece of the bar and a filter."""

    value: str
    tone: str
    words: str
    count: int
    start: float
    width: float


@dataclass(frozen=True)
class Progress(ABC):
    bulk: AnyBulk
    counts: dict[str, int]

    unwanted: ClassVar[tuple[BulkRow.State, ...]] = (State.LEFT_OUT,)

    @abstractmethod
    def subjects(self, count: int) -> str:
        """Say how many of what, such as “3 mailboxes”."""

    @property
    @abstractmethod
    def calls(self) -> int:
        """How often PurelyMail is asked for one row."""

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def wanted(self) -> int:
        """How many there are without those that were left out from the beginning."""
        return self.total - self._count(*self.unwanted)

    @property
    def open(self) -> int:
        return self._count(State.WAITING, State.WORKING)

    @property
    def is_live(self) -> bool:
        """Whether something changes by itself, be it the last row before a stop."""
        lease = self.bulk.lease_until
        is_held = lease is not None and lease > timezone.now()
        return self._is_running or (is_held and bool(self._count(State.WORKING)))

    @property
    def failed(self) -> int:
        return self._count(State.FAILED)

    @property
    def percent(self) -> int:
        if not self.wanted:
            return 100
        return 100 * (self.wanted - self.open) // self.wanted

    @property
    def tone(self) -> str:
        if self._is_done_in_part:
            return "attention"
        return BULK_TONES[Bulk.State(self.bulk.state)]

    @property
    def badge(self) -> str:
        if self._is_done_in_part:
            return "Done in part"
        return str(Bulk.State(self.bulk.state).label)

    @property
    def outcome(self) -> str:
        return outcome_of(self.counts)

    @property
    def headline(self) -> str:
        """What is going on, or how it ended, as a sentence without its full stop."""
        match self.bulk.state:
            case Bulk.State.RUNNING if not self.bulk.attempt:
                return "Starts in a moment"
            case Bulk.State.RUNNING:
                ended = self.wanted - self.open
                return f"{thin(ended)} of {thin(self.wanted)} are over"
            case Bulk.State.STOPPED:
                return f"Stopped with {thin(self.open)} still to do"
            case Bulk.State.CANCELLED:
                return "The rest was cancelled"
        if self.failed:
            return f"{thin(self.failed)} of {thin(self.wanted)} failed"
        return "All done"

    @cached_property
    def parts(self) -> list[Part]:
        found, start = [], 0.0
        for state, (tone, words) in TONES.items():
            if count := self._count(state):
                width = 100 * count / self.total
                found.append(
                    Part(state, tone, words, count, round(start, 2), round(width, 2))
                )
                start += width
        return found

    @property
    def in_words(self) -> str:
        parts = ", ".join(f"{it.count} {it.words.lower()}" for it in self.parts)
        return f"{self.subjects(self.total)}: {parts}"

    @cached_property
    def seconds_left(self) -> float:
        """How long the rest takes: as the last rows went, or as the budget allows."""
        now = timezone.now()
        since = max(now - PACE_SEEN, self.bulk.started_at or now)
        lately: int = self.bulk.rows.filter(settled_at__gt=since, attempt__gt=0).count()
        if self._is_running and lately >= ENOUGH_ROWS:
            return self.open * (now - since).total_seconds() / lately
        if not self.calls:
            return self.open * 0.02
        return self.open * (self.calls + LEFT_TO_PEOPLE) * budget.SECONDS_A_CALL

    @property
    def duration(self) -> str:
        return about(self.seconds_left)

    @property
    def finishes_at(self) -> datetime:
        return timezone.now() + timedelta(seconds=self.seconds_left)

    @property
    def _is_running(self) -> bool:
        return self.bulk.state == Bulk.State.RUNNING

    @property
    def _is_done_in_part(self) -> bool:
        return self.bulk.state == Bulk.State.DONE and bool(self.failed)

    def _count(self, *states: BulkRow.State) -> int:
        return sum(self.counts.get(state, 0) for state in states)


def about(seconds: float) -> str:
    """Say a duration as somebody would who cannot know it exactly."""
    minutes = round(seconds / 60)
    if seconds < 10:
        return "a few seconds"
    if minutes < 1:
        return "less than a minute"
    if minutes < 90:
        return "about a minute" if minutes == 1 else f"about {minutes} minutes"
    return f"about {round(minutes / 60)} hours"
