"""What a bulk change of rules looks like to a person, beside its progress."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from purelymanage.mailboxes.bulk.progress import TONES, Progress
from purelymanage.routing.bulk import wording
from purelymanage.routing.model.rules import Kind, Rule
from purelymanage.routing.model.words import listed, sentence
from purelymanage.routing.models import RuleBulk, RuleBulkRow

State, Verdict = RuleBulkRow.State, RuleBulkRow.Verdict
VERDICTS = {
    Verdict.ERROR: ("broken", "Error", "broken"),
    Verdict.NEW: ("running", "New", "plus"),
    Verdict.CHANGED: ("attention", "Changed", "edit"),
    Verdict.REMOVED: ("broken", "Deleted", "trash"),
    Verdict.SAME: ("good", "Same", "good"),
}
BY_HAND = "Left out by hand."


@dataclass(frozen=True)
class BulkView(Progress):
    bulk: RuleBulk

    unwanted = (State.LEFT_OUT, State.SAME)
    calls = 3  # for one rule: a look, the call, and a look after it

    def subjects(self, count: int) -> str:
        return wording.rules(count)

    @property
    def title(self) -> str:
        match self.bulk.kind:
            case RuleBulk.Kind.RESTORE:
                return f"Restore {wording.rules(self.total)}"
            case RuleBulk.Kind.IMPORT:
                return f"Import {wording.rules(self.total)}"
        return f"{wording.rules(self.total).capitalize()} of a template"


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
