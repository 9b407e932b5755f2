"""What pages show of snapshots, as far as somebody may see it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from purelymanage.accounts.models import User
from purelymanage.mailboxes.operations.details import DETAIL_NAMES
from purelymanage.routing.model.words import sentence
from purelymanage.routing.models import Snapshot, SnapshotContent
from purelymanage.routing.snapshots.comparing import (
    DOMAIN_NAMES,
    State,
    rules_of,
)
from purelymanage.routing.snapshots.taking import present_state


@dataclass(frozen=True, slots=True)
class Row:
    snapshot: Snapshot
    counts: dict[str, int]
    # Whether nothing has changed since the one before, None where there is none.
    is_same: bool | None


@dataclass(frozen=True, slots=True)
class Item:
    """A thing of a snapshot: its name, and what was said of it."""

    name: str
    sentence: str
    flags: tuple[tuple[str, bool], ...] = ()


def rows_of(snapshots: Sequence[Snapshot], user: User, listed: int) -> list[Row]:
    """Return a row for the first of them; the one after them is to compare with."""
    found = []
    for number, snapshot in enumerate(snapshots[:listed]):
        older = snapshots[number + 1] if number + 1 < len(snapshots) else None
        same = older and older.content_id == snapshot.content_id
        counts = snapshot.content.counts_for(user)
        found.append(Row(snapshot, counts, None if older is None else bool(same)))
    return found


def state_now(user: User) -> State:
    """Return the account as it is now, as far as somebody may see it."""
    return SnapshotContent(state=present_state()).state_for(user)


class Items(Sequence[Item]):
    """All of one part in order; only what a page shows of it is put into words."""

    def __init__(self, state: State, part: str) -> None:
        self._part = state[part]
        self._is_rules = part == "rules"
        self._words = DOMAIN_NAMES if part == "domains" else DETAIL_NAMES
        self._names = (
            sorted(it["domain"] for it in self._part)
            if self._is_rules
            else sorted(self._part)
        )

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, shown: Any) -> Any:
        names = self._names[shown]
        if not self._is_rules:
            return [_item(it, self._part[it], self._words) for it in names]
        # The strongest first within each domain, so of these all have to be looked at.
        some = set(names)
        found = rules_of({"rules": [it for it in self._part if it["domain"] in some]})
        found.sort(key=lambda it: it.strength, reverse=True)
        found.sort(key=lambda it: it.domain)
        first = bisect_left(self._names, names[0]) if names else 0
        wanted = found[shown.start - first : shown.start - first + len(names)]
        return [Item(rule.pattern, sentence(rule)) for rule in wanted]


def _item(name: str, values: State, names: dict[str, str]) -> Item:
    flags = [(words, values.get(it)) for it, words in names.items()]
    known = tuple((words, value) for words, value in flags if value is not None)
    return Item(name, "" if known else "Not looked at yet", known)
