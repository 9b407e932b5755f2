"""What a bulk change of mailboxes looks like to a person, beside its progress."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from purelymanage.mailboxes.bulk import wording
from purelymanage.mailboxes.bulk.progress import TONES, Progress
from purelymanage.mailboxes.models import Bulk, BulkRow

State, Verdict = BulkRow.State, BulkRow.Verdict
# With the mark that stands before the word.
VERDICTS = {
    Verdict.ERROR: ("broken", "Error", "broken"),
    Verdict.NEW: ("running", "New", "plus"),
    Verdict.CHANGED: ("attention", "Changed", "edit"),
    Verdict.SAME: ("good", "Same", "good"),
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


@dataclass(frozen=True)
class BulkView(Progress):
    bulk: Bulk

    def subjects(self, count: int) -> str:
        return wording.mailboxes(count)

    @property
    def calls(self) -> int:
        return CALLS[Bulk.Kind(self.bulk.kind)]

    @property
    def title(self) -> str:
        count = self.wanted or self.total
        return f"{TITLES[Bulk.Kind(self.bulk.kind)]} {wording.mailboxes(count)}"

    @property
    def deed(self) -> str:
        words = wording.deed(self.bulk, self.wanted)
        return words[:1].upper() + words[1:]


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


def views_of(rows: Iterable[BulkRow]) -> list[RowView]:
    return [RowView(row) for row in rows]


def verdicts_of(counts: dict[str, int]) -> list[dict[str, Any]]:
    """Return how many lines of a file mean what, with those that need somebody first."""
    return [
        {"value": it, "tone": tone, "words": words, "count": counts.get(it, 0)}
        for it, (tone, words, _) in VERDICTS.items()
    ]
