"""What two configurations have apart, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from purelymanage.mailboxes.operations.details import DETAIL_NAMES
from purelymanage.routing.model.plans import difference
from purelymanage.routing.model.rules import Kind, Rule
from purelymanage.routing.model.words import listed, matched

State = dict[str, Any]
DOMAIN_NAMES = {
    "allow_account_reset": "account recovery through it",
    "symbolic_subaddressing": "subaddressing",
    "is_shared": "shared with others",
}
TONES = {"added": "running", "removed": "broken", "changed": "attention"}
MARKS = {"added": "plus", "removed": "dash", "changed": "edit"}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: “added”, “removed” or “changed”, of what, and how."""

    word: str
    name: str
    sentence: str = ""

    @property
    def tone(self) -> str:
        return TONES[self.word]

    @property
    def mark(self) -> str:
        return MARKS[self.word]


@dataclass(frozen=True, slots=True)
class Comparison:
    domains: tuple[Change, ...]
    mailboxes: tuple[Change, ...]
    rules: tuple[Change, ...]

    @property
    def parts(self) -> list[tuple[str, tuple[Change, ...]]]:
        return [
            ("Domains", self.domains),
            ("Mailboxes", self.mailboxes),
            ("Rules", self.rules),
        ]

    @property
    def count(self) -> int:
        return sum(len(changes) for _, changes in self.parts)

    @property
    def summary(self) -> str:
        """Say how much is different, such as “1 domain and 3 rules”."""
        found = [
            f"{len(changes)} {words}"
            for changes, words in (
                (self.domains, _noun(len(self.domains), "domain")),
                (self.mailboxes, _noun(len(self.mailboxes), "mailbox", "mailboxes")),
                (self.rules, _noun(len(self.rules), "rule")),
            )
            if changes
        ]
        return listed(found)


def compare(before: State, after: State) -> Comparison:
    before, after = _unlike(before, after)
    return Comparison(
        domains=tuple(_named(before["domains"], after["domains"], DOMAIN_NAMES)),
        mailboxes=tuple(_named(before["mailboxes"], after["mailboxes"], DETAIL_NAMES)),
        rules=tuple(_rules(before, after)),
    )


def rules_of(state: State) -> list[Rule]:
    return [
        Rule(
            domain=it["domain"].lower(),
            match_user=it["match_user"].lower(),
            prefix=it["prefix"],
            catchall=it["catchall"],
            targets=tuple(target.strip().lower() for target in it["targets"]),
        )
        for it in state["rules"]
    ]


def _unlike(before: State, after: State) -> tuple[State, State]:
    """Leave out what is word for word the same in both, which is most of it."""
    less: tuple[State, State] = ({}, {})
    for part in ("domains", "mailboxes"):
        old, new = before[part], after[part]
        apart = {name: it for name, it in old.items() if new.get(name) != it}
        less[0][part] = apart
        less[1][part] = {
            name: it for name, it in new.items() if name not in old or name in apart
        }
    less[0]["rules"], less[1]["rules"] = _rules_apart(before["rules"], after["rules"])
    return less


def _rules_apart(
    before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    old, new = (
        {_place(it): it["targets"] for it in rules} for rules in (before, after)
    )
    if len(old) == len(before) and len(new) == len(after):
        apart = {place for place, it in old.items() if new.get(place) != it}
        before = [it for it, place in zip(before, old, strict=True) if place in apart]
        after = [
            it
            for it, place in zip(after, new, strict=True)
            if place in apart or place not in old
        ]
    # Of several at one place, each is looked for.
    one, other = ({_text(it): it for it in rules} for rules in (before, after))
    return (
        [one[it] for it in one if it not in other],
        [other[it] for it in other if it not in one],
    )


def _place(rule: dict[str, Any]) -> tuple[str, str, bool, bool]:
    return rule["domain"], rule["match_user"], rule["prefix"], rule["catchall"]


def _text(rule: dict[str, Any]) -> str:
    flags = f"{rule['prefix']} {rule['catchall']}"
    return "\n".join((rule["domain"], rule["match_user"], flags, *rule["targets"]))


def _named(before: State, after: State, names: dict[str, str]) -> Iterator[Change]:
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield Change("added", name, _flags(after[name], names))
        elif name not in after:
            yield Change("removed", name, _flags(before[name], names))
        elif sentence := listed(_flips(before[name], after[name], names)):
            yield Change("changed", name, f"{sentence[:1].upper()}{sentence[1:]}.")


def _flips(before: State, after: State, names: dict[str, str]) -> Iterator[str]:
    """Yield what was switched. What nobody had looked at then is no change."""
    for field, words in names.items():
        old, new = before.get(field), after.get(field)
        if old is not None and new is not None and old != new:
            yield f"{words} was {_on(value=old)} and is {_on(value=new)}"


def _flags(values: State, names: dict[str, str]) -> str:
    known = [
        f"{names[it]} {_on(value=values[it])}" for it in names if _said(values, it)
    ]
    return f"With {listed(known)}." if known else ""


def _said(values: State, name: str) -> bool:
    """Leave out of a list of flags what nobody knows, and what is hardly ever so."""
    return values.get(name) is not None and (name != "is_shared" or values[name])


def _on(*, value: bool) -> str:
    return "on" if value else "off"


def _rules(before: State, after: State) -> Iterator[Change]:
    apart = difference(rules_of(before), rules_of(after))
    found = [(rule, Change("added", *_said_of(rule))) for rule in apart.added]
    found += [(rule, Change("removed", *_said_of(rule))) for rule in apart.removed]
    found += [
        (new, Change("changed", new.pattern, _change(old, new)))
        for old, new in apart.changed
    ]
    for _, change in sorted(found, key=lambda it: (it[0].domain, it[0].pattern)):
        yield change


def _said_of(rule: Rule) -> tuple[str, str]:
    if rule.kind == Kind.EXACT:
        return rule.pattern, f"To {_targets(rule)}."
    return rule.pattern, f"Mail to {matched(rule)}, to {_targets(rule)}."


def _change(old: Rule, new: Rule) -> str:
    if old.kind != new.kind:
        return (
            f"Mail to {matched(old)} went to {_targets(old)}; mail to {matched(new)} "
            f"goes to {_targets(new)}."
        )
    gone = [it for it in old.targets if it not in new.targets]
    come = [it for it in new.targets if it not in old.targets]
    if set(gone) == set(old.targets):
        return f"Went to {_targets(old)} and goes to {_targets(new)}."
    parts = []
    if come:
        parts.append(f"goes to {listed(come)} as well")
    if gone:
        parts.append(f"not to {listed(gone)} any more")
    sentence = listed(parts)
    return f"{sentence[:1].upper()}{sentence[1:]}."


def _targets(rule: Rule) -> str:
    return listed(rule.targets) or "nobody"


def _noun(number: int, one: str, many: str = "") -> str:
    return one if number == 1 else many or f"{one}s"
