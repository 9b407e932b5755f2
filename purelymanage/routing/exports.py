"""The rules as a table for a spreadsheet, which the import understands as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from purelymanage.routing.models import Rule
from purelymanage.routing.models.rules import RuleQuerySet
from purelymanage.sheets import writing

PER_STEP = 1_000
# Those that an import knows, too, are called as it calls them.
HEADER = ("Address or pattern", "Kind", "Targets", "Note", "Last day", "Deletion")
KINDS = {
    Rule.Kind.EXACT: "exact",
    Rule.Kind.PREFIX: "prefix",
    Rule.Kind.ANY: "any",
    Rule.Kind.CATCH_ALL: "catch-all",
    Rule.Kind.CUSTOM: "custom",
}


def as_csv(rules: RuleQuerySet) -> Iterator[str]:
    return writing.as_csv(HEADER, map(_cells, _steps(rules)))


def _steps(rules: RuleQuerySet) -> Iterator[Any]:
    """Walk through them by number; nothing stays open in between."""
    ordered = rules.with_deletion().with_expiry().order_by("pk")
    last = 0
    while step := list(ordered.filter(pk__gt=last)[:PER_STEP]):
        yield from step
        last = step[-1].pk


def _cells(rule: Any) -> list[object]:
    return [
        rule.pattern,
        KINDS[rule.kind],
        " ".join(rule.targets),
        rule.note,
        rule.ends_on.isoformat() if rule.ends_on else "",
        rule.deletion_state or "",
    ]
