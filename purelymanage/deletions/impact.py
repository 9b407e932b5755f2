"""What goes with an object: computed alike from the mirror and from PurelyMail."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self

from purelymanage.accounts.models import User
from purelymanage.purelymail import types

NAMED = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that goes along: “12 mailboxes” “with all their mail” and their names.

    `names` come with their domains, as somebody limited to some may not read others.
    """

    icon: str
    what: str
    more: str = ""
    note: str = ""
    names: tuple[tuple[str, str], ...] = ()

    def names_for(self, user: User) -> str:
        """Return the first names in words, hiding those this person may not see."""
        mine = [name for name, domain in self.names if user.covers(domain)]
        shown, rest = mine[:NAMED], len(self.names) - len(mine[:NAMED])
        if rest and shown:
            return f"{', '.join(shown)} and {rest} more"
        return ", ".join(shown)


@dataclass(frozen=True, slots=True)
class Impact:
    """What a deletion takes along. `facts` are compared: none may be new later on."""

    lines: tuple[Line, ...] = ()
    facts: frozenset[str] = frozenset()

    def gained(self, before: Impact) -> list[str]:
        """Return what was not there `before`."""
        return sorted(self.facts - before.facts)

    @property
    def summary(self) -> str:
        """All of it in a few words, for a row of a table."""
        return ", ".join(f"{line.what} {line.more}".strip() for line in self.lines)

    @property
    def digest(self) -> str:
        """A short sign of the facts, by which a form knows what a person was shown."""
        text = "\n".join(sorted(self.facts))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def plus(self, lines: Iterable[Line]) -> Impact:
        return Impact((*self.lines, *lines), self.facts)

    def as_json(self) -> dict[str, Any]:
        return {
            "lines": [asdict(line) for line in self.lines],
            "facts": sorted(self.facts),
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        lines = [
            Line(**line | {"names": tuple((it[0], it[1]) for it in line["names"])})
            for line in stored.get("lines", [])
        ]
        return cls(tuple(lines), frozenset(stored.get("facts", [])))


@dataclass
class Account:
    """The account as one source tells it; each list is asked for when it is needed."""

    list_users: Callable[[], list[str]]
    list_domains: Callable[[], list[str]]
    list_rules: Callable[[], list[types.Rule]]

    @cached_property
    def users(self) -> list[str]:
        return self.list_users()

    @cached_property
    def domains(self) -> list[str]:
        return self.list_domains()

    @cached_property
    def rules(self) -> list[types.Rule]:
        return self.list_rules()

    @cached_property
    def aiming(self) -> dict[str, list[types.Rule]]:
        """The rules by the addresses that they send mail to, in lower case."""
        found: dict[str, list[types.Rule]] = {}
        for rule in self.rules:
            # PurelyMail keeps targets as they were written.
            for target in dict.fromkeys(map(str.lower, rule.targets)):
                found.setdefault(target, []).append(rule)
        return found

    def pointing_to(self, address: str) -> list[types.Rule]:
        """Return the rules that send mail there."""
        return self.aiming.get(address, [])

    def has_user(self, address: str) -> bool:
        return address in self._users

    @cached_property
    def _users(self) -> frozenset[str]:
        return frozenset(self.users)

    def plus(self, later: Account) -> Account:
        """Return what either of them has. A rule made anew is still the same one."""
        ids = {rule.id for rule in later.rules}
        facts = set(map(rule_fact, later.rules))
        others = [
            rule
            for rule in self.rules
            if rule.id not in ids and rule_fact(rule) not in facts
        ]
        return Account(
            lambda: list(dict.fromkeys([*self.users, *later.users])),
            lambda: list(dict.fromkeys([*self.domains, *later.domains])),
            lambda: [*others, *later.rules],
        )

    def as_json(self) -> dict[str, Any]:
        """Return the lists that were asked for."""
        stored = {name: vars(self).get(name, []) for name in ("users", "domains")}
        rules = [asdict(rule) for rule in vars(self).get("rules", [])]
        return stored | {"rules": rules}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        rules = [
            types.Rule(**rule | {"targets": tuple(rule["targets"])})
            for rule in stored.get("rules", [])
        ]
        return cls(
            lambda: stored.get("users", []),
            lambda: stored.get("domains", []),
            lambda: rules,
        )


def count(number: int, one: str, many: str = "") -> str:
    """Write “1 rule” or “4 rules”."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()


def rule_pattern(rule: types.Rule) -> str:
    return f"{rule.match_user}{'*' if rule.prefix else ''}@{rule.domain}"


def rule_fact(rule: types.Rule) -> str:
    """Name a rule by what it does: an identical one made anew is the same to people."""
    kind = " (catch-all)" if rule.catchall else ""
    goes_to = ", ".join(sorted(rule.targets)) or "nobody"
    return f"the rule {rule_pattern(rule)}{kind} to {goes_to}"
