"""What a bulk change of rules looks like to a person: words, tones, figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from django.utils import timezone

from purelymanage.figures import thin
from purelymanage.mailboxes.bulk.presentation import Part, about
from purelymanage.purelymail import budget
from purelymanage.routing.bulk import wording
from purelymanage.routing.bulk.running import LEFT_TO_PEOPLE
from purelymanage.routing.model.rules import Kind, Rule
from purelymanage.routing.model.words import listed, sentence
from purelymanage.routing.models import RuleBulk, RuleBulkRow

State, Verdict = RuleBulkRow.State, RuleBulkRow.Verdict
TONES = {
    State.DONE: ("good", "Done"),
    State.SAME: ("good", "Already so"),
    State.WORKING: ("running", "Being done"),
    State.WAITING: ("waiting", "Waiting"),
    State.LEFT_OUT: ("attention", "Left out"),
    State.FAILED: ("broken", "Failed"),
}
VERDICTS = {
    Verdict.ERROR: ("broken", "Error", "broken"),
    Verdict.NEW: ("running", "New", "plus"),
    Verdict.CHANGED: ("attention", "Changed", "edit"),
    Verdict.REMOVED: ("broken", "Deleted", "trash"),
    Verdict.SAME: ("good", "Same", "good"),
}
BULK_TONES = {
    RuleBulk.State.DRAFT: "waiting",
    RuleBulk.State.RUNNING: "running",
    RuleBulk.State.STOPPED: "attention",
    RuleBulk.State.DONE: "good",
    RuleBulk.State.CANCELLED: "waiting",
}
CALLS = 3  # for one rule: a look, the call, and a look after it
TABS = {state.value for state in State}


BY_HAND = "Left out by hand."


@dataclass(frozen=True)
class BulkView:
    bulk: RuleBulk
    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def wanted(self) -> int:
        return self.total - self._count(State.LEFT_OUT, State.SAME)

    @property
    def open(self) -> int:
        return self._count(State.WAITING, State.WORKING)

    @property
    def failed(self) -> int:
        return self._count(State.FAILED)

    @property
    def percent(self) -> int:
        if not self.wanted:
            return 100
        return 100 * (self.wanted - self.open) // self.wanted

    @property
    def is_live(self) -> bool:
        """Whether something changes by itself, be it the last row before a stop."""
        lease = self.bulk.lease_until
        is_held = lease is not None and lease > timezone.now()
        return self.bulk.is_running or (is_held and bool(self._count(State.WORKING)))

    @property
    def title(self) -> str:
        match self.bulk.kind:
            case RuleBulk.Kind.RESTORE:
                return f"Restore {wording.rules(self.total)}"
            case RuleBulk.Kind.IMPORT:
                return f"Import {wording.rules(self.total)}"
        return f"{wording.rules(self.total).capitalize()} of a template"

    @property
    def tone(self) -> str:
        if self.bulk.state == RuleBulk.State.DONE and self.failed:
            return "attention"
        return BULK_TONES[RuleBulk.State(self.bulk.state)]

    @property
    def badge(self) -> str:
        if self.bulk.state == RuleBulk.State.DONE and self.failed:
            return "Done in part"
        return self.bulk.get_state_display()

    @property
    def outcome(self) -> str:
        return wording.outcome_of(self.counts)

    @property
    def headline(self) -> str:
        """What is going on, or how it ended, as a sentence without its full stop."""
        match self.bulk.state:
            case RuleBulk.State.RUNNING if not self.bulk.attempt:
                return "Starts in a moment"
            case RuleBulk.State.RUNNING:
                ended = self.wanted - self.open
                return f"{thin(ended)} of {thin(self.wanted)} are over"
            case RuleBulk.State.STOPPED:
                return f"Stopped with {thin(self.open)} still to do"
            case RuleBulk.State.CANCELLED:
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
        return f"{wording.rules(self.total)}: {parts}"

    @property
    def seconds_left(self) -> float:
        return self.open * (CALLS * budget.SECONDS_A_CALL + LEFT_TO_PEOPLE)

    @property
    def duration(self) -> str:
        return about(self.seconds_left)

    @property
    def finishes_at(self) -> datetime:
        return timezone.now() + timedelta(seconds=self.seconds_left)

    def _count(self, *states: RuleBulkRow.State) -> int:
        return sum(self.counts.get(state, 0) for state in states)


@dataclass(frozen=True, slots=True)
class RowView:
    row: RuleBulkRow

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
        """Say what the rule does, beside what it is about."""
        fields = self.row.new or self.row.old
        if not fields:
            return ""
        rule = _rule(fields)
        if rule.kind != Kind.EXACT:
            return sentence(rule)
        return f"Goes to {listed(rule.targets) or 'nobody'}."

    @property
    def before(self) -> str:
        """Where its mail goes now, where that changes."""
        if self.row.verdict != Verdict.CHANGED or not self.row.old:
            return ""
        old, new = _rule(self.row.old), _rule(self.row.new or {})
        if old.deed == new.deed:
            return ""
        kind = "" if old.kind == new.kind else " (without sparing mailboxes)"
        if old.kind != new.kind and old.catchall:
            kind = " (sparing mailboxes)"
        return f"It goes to {listed(old.targets) or 'nobody'} now{kind}."

    @property
    def ends_on(self) -> date | None:
        written = self.row.wishes.get("ends_on")
        return date.fromisoformat(written) if written else None

    @property
    def is_left_out_by_hand(self) -> bool:
        return self.row.state == State.LEFT_OUT and self.row.reason == BY_HAND


def views_of(rows: Iterable[RuleBulkRow]) -> list[RowView]:
    return [RowView(row) for row in rows]


def verdicts_of(counts: dict[str, int]) -> list[dict[str, Any]]:
    """Return how many rows mean what, with those that need somebody first."""
    return [
        {"value": it, "tone": tone, "words": words, "count": counts[it]}
        for it, (tone, words, _) in VERDICTS.items()
        if counts.get(it)
    ]


def _rule(fields: dict[str, Any]) -> Rule:
    return Rule(**fields | {"targets": tuple(fields["targets"])})
