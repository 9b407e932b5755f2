"""Small accounts made at random, in which names collide all the time."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from hypothesis import strategies as st

from purelymanage.purelymail.sandbox import state as remote
from purelymanage.purelymail.sandbox.zones import Zones
from purelymanage.routing.model.accounts import Account
from purelymanage.routing.model.rules import Rule

Match = tuple[str, str, bool, bool]

DOMAINS = ("a.example", "b.example")
SHARED, FOREIGN = "purelymail.com", "far.example"
# Most are beginnings of one another; some have symbols, which may count or not.
NAMES = ("x", "xy", "xyz", "y", "x+y", "x-", "xy.z", "X")
PREFIXES = ("", "x", "xy", "y", "x-", "x+y")

OWN_ADDRESSES = [f"{name}@{domain}" for name in NAMES for domain in DOMAINS]
FOREIGN_ADDRESSES = [
    f"{name}@{domain}" for name in "xy" for domain in (SHARED, FOREIGN)
]
# What a rule matches; the last flag, `catchall`, is rarer than its absence.
MATCHES = [
    (domain, name.lower(), is_prefix, is_catchall)
    for is_catchall in (False, False, False, True)
    for domain in DOMAINS
    for is_prefix in (False, True)
    for name in (PREFIXES if is_prefix else (*NAMES, ""))
]
ODD = ("", "x", "@a.example", "+x@a.example", "x@", "@")

ADDRESSES = [*OWN_ADDRESSES, *FOREIGN_ADDRESSES, *ODD]

addresses = st.sampled_from([*OWN_ADDRESSES, *FOREIGN_ADDRESSES])
# Every single target, and pairs and threes beside: one choice is made faster than three.
TARGETS = [*map(str.lower, OWN_ADDRESSES), *FOREIGN_ADDRESSES, *ODD]
LISTS_OF_TARGETS = [
    (),
    *((it,) for it in TARGETS),
    *itertools.combinations(TARGETS, 2),
    *itertools.islice(itertools.combinations(TARGETS, 3), 0, None, 7),
]
MAILBOXES = [*dict.fromkeys(map(str.lower, OWN_ADDRESSES)), f"x@{SHARED}"]
FLAGS = [(one, other) for one in (True, False) for other in (True, False)]

lists_of_targets = st.sampled_from(LISTS_OF_TARGETS)
FEWEST, MOST = 3, 9  # rules
lists_of_matches = st.lists(st.sampled_from(MATCHES), min_size=FEWEST, max_size=MOST)
# One bit for each.
mailboxes = st.integers(0, 2 ** len(MAILBOXES) - 1)


@dataclass(frozen=True)
class Configuration:
    rules: tuple[Rule, ...]
    mailboxes: frozenset[str]
    subaddressing: tuple[bool, bool]

    @property
    def account(self) -> Account:
        return Account(
            rules=self.rules,
            mailboxes=self.mailboxes,
            domains=dict(zip(DOMAINS, self.subaddressing, strict=True)),
        )

    @property
    def state(self) -> remote.State:
        secret = remote.Secret("", "")
        return remote.State(
            ownership_code="",
            zones=Zones(),
            credit=Decimal(1),
            domains={
                name: remote.Domain(symbolic_subaddressing=is_on)
                for name, is_on in zip(DOMAINS, self.subaddressing, strict=True)
            },
            users={it: remote.User(id=it, password=secret) for it in self.mailboxes},
            rules=[
                remote.Rule(
                    rule.id,
                    rule.domain,
                    rule.prefix,
                    rule.match_user,
                    list(rule.targets),
                    rule.catchall,
                )
                for rule in self.rules
            ],
        )


@st.composite
def configurations(draw: st.DrawFn) -> Configuration:
    return _configuration(
        [(match, draw(lists_of_targets)) for match in draw(lists_of_matches)],
        draw(mailboxes),
        draw(st.sampled_from(FLAGS)),
    )


def configuration_of(chance: Random) -> Configuration:
    """Return one like those of `configurations`, which takes less time to draw."""
    matches = chance.choices(MATCHES, k=chance.randint(FEWEST, MOST))
    return _configuration(
        [(match, chance.choice(LISTS_OF_TARGETS)) for match in matches],
        chance.getrandbits(len(MAILBOXES)),
        chance.choice(FLAGS),
    )


def _configuration(
    written: list[tuple[Match, tuple[str, ...]]], bits: int, flags: tuple[bool, bool]
) -> Configuration:
    found: dict[tuple[str, str, bool], Rule] = {}
    for number, (match, targets) in enumerate(written, 1):
        rule = Rule(*match, targets=targets, id=number)
        # PurelyMail refuses a second rule for the same addresses.
        found.setdefault(rule.match, rule)
    return Configuration(
        tuple(found.values()),
        frozenset(it for place, it in enumerate(MAILBOXES) if bits >> place & 1),
        flags,
    )
