"""From one set of rules to another, in an order that PurelyMail takes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from purelymanage.routing.model.rules import Rule


class Deed(StrEnum):
    CREATE = "create"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Step:
    deed: Deed
    rule: Rule


@dataclass(frozen=True, slots=True)
class Difference:
    """What two sets of rules have apart, whatever the ids of their rules.

    `changed` are pairs, before and after, that are about the same addresses.
    """

    added: tuple[Rule, ...]
    removed: tuple[Rule, ...]
    changed: tuple[tuple[Rule, Rule], ...]
    kept: tuple[Rule, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps one after the other. `impossible` are rules of domains that are gone."""

    steps: tuple[Step, ...]
    impossible: tuple[Rule, ...] = ()


def difference(before: Iterable[Rule], after: Iterable[Rule]) -> Difference:
    """Compare two sets of rules. Of several for the same addresses the first counts."""
    old, extra = _by_match(before)
    new, _ = _by_match(after)
    both = [match for match in old if match in new]
    return Difference(
        added=tuple(rule for match, rule in new.items() if match not in old),
        removed=(*(rule for match, rule in old.items() if match not in new), *extra),
        changed=tuple(
            (old[it], new[it]) for it in both if old[it].deed != new[it].deed
        ),
        kept=tuple(old[it] for it in both if old[it].deed == new[it].deed),
    )


def plan(
    have: Iterable[Rule], want: Iterable[Rule], *, domains: Collection[str]
) -> Plan:
    """Return how to get from the rules that are there to those that are wanted.

    What is new comes first and what goes last, so that no mail is without its rule.
    Rules for the same addresses cannot be there together: each is created right after
    the old one went.
    """
    wanted = list(want)
    impossible = tuple(it for it in wanted if it.domain not in domains)
    apart = difference(
        (it for it in have if it.domain in domains),
        (it for it in wanted if it.domain in domains),
    )
    steps = [Step(Deed.CREATE, rule) for rule in apart.added]
    for old, new in apart.changed:
        steps += [Step(Deed.DELETE, old), Step(Deed.CREATE, new)]
    steps += [Step(Deed.DELETE, rule) for rule in apart.removed]
    return Plan(tuple(steps), impossible)


def _by_match(
    rules: Iterable[Rule],
) -> tuple[dict[tuple[str, str, bool], Rule], list[Rule]]:
    """Return the rules by what they are about, and those that are too many.

    PurelyMail allows no second one for the same addresses, but may take capital
    letters for others.
    """
    found: dict[tuple[str, str, bool], Rule] = {}
    extra = [rule for rule in rules if found.setdefault(rule.match, rule) is not rule]
    return found, extra
