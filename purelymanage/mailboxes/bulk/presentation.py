"""What a bulk change looks like to a person: words, tones, figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.utils import timezone

from purelymanage.figures import thin
from purelymanage.mailboxes.bulk import wording
from purelymanage.mailboxes.bulk.running import LEFT_TO_PEOPLE
from purelymanage.mailboxes.models import Bulk, BulkRow
from purelymanage.purelymail import budget

State, Verdict = BulkRow.State, BulkRow.Verdict
# In the order of the bar.
TONES = {
    State.DONE: ("good", "Done"),
    State.SAME: ("good", "Already so"),
    State.WORKING: ("running", "Being done"),
    State.WAITING: ("waiting", "Waiting"),
    State.LEFT_OUT: ("attention", "Left out"),
    State.FAILED: ("broken", "Failed"),
}
# With the mark that stands before the word.
VERDICTS = {
    Verdict.ERROR: ("broken", "Error", "broken"),
    Verdict.NEW: ("running", "New", "plus"),
    Verdict.CHANGED: ("attention", "Changed", "edit"),
    Verdict.SAME: ("good", "Same", "good"),
}
BULK_TONES = {
    Bulk.State.DRAFT: "waiting",
    Bulk.State.RUNNING: "running",
    Bulk.State.STOPPED: "attention",
    Bulk.State.DONE: "good",
    Bulk.State.CANCELLED: "waiting",
}
TITLES = {
    Bulk.Kind.CREATE: "Create and change",
    Bulk.Kind.RESET: "New passwords for",
    Bulk.Kind.FLAGS: "Settings of",
    Bulk.Kind.TAG: "Tags of",
    Bulk.Kind.DELETE: "Delete",
}
# How often PurelyMail is asked for one row.
CALLS = {
    Bulk.Kind.CREATE: 2,
    Bulk.Kind.RESET: 2,
    Bulk.Kind.FLAGS: 3,
    Bulk.Kind.TAG: 0,
    Bulk.Kind.DELETE: 0,
}
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
class BulkView:
    bulk: Bulk
    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def wanted(self) -> int:
        """How many there are without those that were left out from the beginning."""
        return self.total - self._count(State.LEFT_OUT)

    @property
    def open(self) -> int:
        return self._count(State.WAITING, State.WORKING)

    @property
    def is_live(self) -> bool:
        """Whether something changes by itself, be it the last row before a stop."""
        lease = self.bulk.lease_until
        is_held = lease is not None and lease > timezone.now()
        return self.bulk.is_running or (is_held and bool(self._count(State.WORKING)))

    @property
    def failed(self) -> int:
        return self._count(State.FAILED)

    @property
    def percent(self) -> int:
        if not self.wanted:
            return 100
        return 100 * (self.wanted - self.open) // self.wanted

    @property
    def title(self) -> str:
        count = self.wanted or self.total
        return f"{TITLES[Bulk.Kind(self.bulk.kind)]} {wording.mailboxes(count)}"

    @property
    def tone(self) -> str:
        if self.bulk.state == Bulk.State.DONE and self.failed:
            return "attention"
        return BULK_TONES[Bulk.State(self.bulk.state)]

    @property
    def badge(self) -> str:
        if self.bulk.state == Bulk.State.DONE and self.failed:
            return "Done in part"
        return self.bulk.get_state_display()

    @property
    def outcome(self) -> str:
        return wording.outcome_of(self.counts)

    @property
    def deed(self) -> str:
        words = wording.deed(self.bulk, self.wanted)
        return words[:1].upper() + words[1:]

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
                left = thin(self.open)
                return f"Stopped with {left} still to do"
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
        return f"{wording.mailboxes(self.total)}: {parts}"

    @cached_property
    def seconds_left(self) -> float:
        """How long the rest takes: as the last rows went, or as the budget allows."""
        now = timezone.now()
        since = max(now - PACE_SEEN, self.bulk.started_at or now)
        lately = self.bulk.rows.filter(settled_at__gt=since, attempt__gt=0).count()
        if self.bulk.is_running and lately >= ENOUGH_ROWS:
            return self.open * (now - since).total_seconds() / lately
        calls = CALLS[Bulk.Kind(self.bulk.kind)]
        per_row = calls * budget.SECONDS_A_CALL + (LEFT_TO_PEOPLE if calls else 0.02)
        return self.open * per_row

    @property
    def duration(self) -> str:
        return about(self.seconds_left)

    @property
    def finishes_at(self) -> datetime:
        return timezone.now() + timedelta(seconds=self.seconds_left)

    def _count(self, *states: BulkRow.State) -> int:
        return sum(self.counts.get(state, 0) for state in states)


@dataclass(frozen=True, slots=True)
class RowView:
    row: BulkRow
    effects: Sequence[str] = ()
    warning: str = ""

    @property
    def tone(self) -> str:
        return TONES[State(self.row.state)][0]

    @property
    def words(self) -> str:
        return TONES[State(self.row.state)][1]

    @property
    def verdict(self) -> dict[str, str]:
        tone, words, mark = VERDICTS[Verdict(self.row.verdict)]
        return {"tone": tone, "words": words, "mark": mark}

    @property
    def effect(self) -> str:
        """All effects as one sentence without its full stop."""
        words = ", ".join(self.effects)
        return words[:1].upper() + words[1:]

    @property
    def has_page(self) -> bool:
        """Whether there is a mailbox to look at, as far as anybody knows."""
        row = self.row
        if row.state == State.LEFT_OUT or not row.address:
            return False
        is_new = row.verdict == Verdict.NEW
        return not is_new or row.state == State.DONE

    @property
    def link(self) -> str:
        """What became of the link to its password."""
        hand_over = self.row.hand_over
        if hand_over is None:
            return ""
        if hand_over.viewed_at:
            return "Link opened"
        if hand_over.withdrawn_at:
            return "Link withdrawn"
        return "Link expired" if hand_over.is_expired else "Link not opened yet"


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


def views_of(rows: Iterable[BulkRow]) -> list[RowView]:
    return [RowView(row) for row in rows]


def verdicts_of(counts: dict[str, int]) -> list[dict[str, Any]]:
    """Return how many lines of a file mean what, with those that need somebody first."""
    return [
        {"value": it, "tone": tone, "words": words, "count": counts.get(it, 0)}
        for it, (tone, words, _) in VERDICTS.items()
    ]
