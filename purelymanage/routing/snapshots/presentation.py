"""What pages show of snapshots, as far as somebody may see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


def items_of(state: State, part: str) -> list[Item]:
    if part == "domains":
        return [_item(n, it, DOMAIN_NAMES) for n, it in state["domains"].items()]
    if part == "mailboxes":
        return [_item(n, it, DETAIL_NAMES) for n, it in state["mailboxes"].items()]
    strongest = sorted(rules_of(state), key=lambda it: it.strength, reverse=True)
    rules = sorted(strongest, key=lambda it: it.domain)
    return [Item(rule.pattern, sentence(rule)) for rule in rules]


def _item(name: str, values: State, names: dict[str, str]) -> Item:
    flags = [(words, values.get(it)) for it, words in names.items()]
    known = tuple((words, value) for words, value in flags if value is not None)
    return Item(name, "" if known else "Not looked at yet", known)
