"""What the draft of a batch looks like to a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from purelymanage.migrations.importing.preview import Line, Preview, Verdict

# With the mark that stands before the word; what needs somebody comes first.
VERDICTS = {
    Verdict.ERROR: ("broken", "Error", "broken"),
    Verdict.NEW: ("attention", "New mailbox", "plus"),
    Verdict.READY: ("good", "Ready", "good"),
}


def verdicts_of(found: Preview) -> list[dict[str, Any]]:
    """Return how many rows mean what, apart from new mailboxes where there are none."""
    counts = found.counts
    return [
        {"value": it.value, "tone": tone, "words": words, "count": counts[it.value]}
        for it, (tone, words, _) in VERDICTS.items()
        if counts[it.value] or it != Verdict.NEW
    ]


@dataclass(frozen=True, slots=True)
class LineView:
    line: Line
    tone: str
    words: str
    mark: str


def views_of(lines: Iterable[Line]) -> list[LineView]:
    return [LineView(line, *VERDICTS[line.verdict]) for line in lines]
