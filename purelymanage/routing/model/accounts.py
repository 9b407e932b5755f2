"""An account as the routing sees it: who is there, and which rule applies to whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from purelymanage.routing.model.rules import Rule

# Everybody may have a mailbox there; subaddressing is always on.
SHARED_DOMAINS = frozenset(
    {
        "purelymail.com",
        "cheapermail.com",
        "placeq.com",
        "rethinkmail.com",
        "worldofmail.com",
    }
)


class Place(Enum):
    """Where an address is."""

    HERE = auto()
    # One of PurelyMail's own domains, where strangers have mailboxes as well.
    SHARED = auto()
    OUTSIDE = auto()
    # A domain of the account that whoever asks may not see.
    VEILED = auto()
    NOWHERE = auto()


class Dots(Enum):
    """Two readings of a dot: the manual says cut, the vendor once said dropped."""

    CUT = auto()
    DROPPED = auto()


@dataclass(frozen=True, slots=True)
class Sight:
    """What PurelyMail sees in an address, and which rule it takes for it.

    `read_as` is what is left of it without its tag. `over` are weaker rules that fit
    as well, `spared` those that would have applied if there were no such mailbox.
    """

    address: str
    read_as: str
    place: Place
    is_mailbox: bool
    rule: Rule | None = None
    over: tuple[Rule, ...] = ()
    spared: tuple[Rule, ...] = ()

    @property
    def is_tagged(self) -> bool:
        return self.read_as != self.address

    @property
    def domain(self) -> str:
        return domain_of(self.read_as)


class Account:
    """Rules, mailboxes and domains, indexed for asking.

    `domains` says of each whether symbolic subaddressing is on. Nothing is known
    about what is behind the `veiled` ones.
    """

    def __init__(
        self,
        *,
        rules: Iterable[Rule],
        mailboxes: Iterable[str],
        domains: Mapping[str, bool],
        shared: Collection[str] = SHARED_DOMAINS,
        veiled: Collection[str] = (),
    ) -> None:
        self.rules = tuple(rules)
        self.mailboxes = frozenset(address.lower() for address in mailboxes)
        self.domains = {name.lower(): on for name, on in domains.items()}
        self.shared = frozenset(name.lower() for name in shared)
        self.veiled = frozenset(name.lower() for name in veiled) - self.domains.keys()
        self._seen: dict[str, Sight] = {}
        self._by_name: dict[str, dict[tuple[str, bool], list[Rule]]] = {}
        for rule in self.rules:
            named = self._by_name.setdefault(rule.domain, {})
            named.setdefault((rule.match_user, rule.prefix), []).append(rule)
        self._lengths = {
            domain: sorted({len(name) for name, is_prefix in named if is_prefix})[::-1]
            for domain, named in self._by_name.items()
        }

    def with_rules(self, rules: Iterable[Rule]) -> Account:
        return Account(
            rules=rules,
            mailboxes=self.mailboxes,
            domains=self.domains,
            shared=self.shared,
            veiled=self.veiled,
        )

    def without(self, mailbox: str) -> Account:
        return Account(
            rules=self.rules,
            mailboxes=self.mailboxes - {mailbox},
            domains=self.domains,
            shared=self.shared,
            veiled=self.veiled,
        )

    def has_subaddressing(self, domain: str) -> bool:
        return self.domains.get(domain, domain in self.shared)

    def rules_for(self, domain: str) -> list[Rule]:
        return [it for rules in self._by_name.get(domain, {}).values() for it in rules]

    def boxes_of(self, domain: str) -> list[str]:
        return sorted(it for it in self.mailboxes if domain_of(it) == domain)

    def fitting(self, domain: str, local: str) -> list[Rule]:
        """Return the rules that fit a name, the strongest first."""
        named = self._by_name.get(domain)
        if named is None:
            return []
        found = list(named.get((local, False), ()))
        for length in self._lengths[domain]:
            if length <= len(local):
                found += named.get((local[:length], True), ())
        return sorted(found, key=lambda rule: rule.strength, reverse=True)

    def place_of(self, address: str) -> Place:
        local, at, domain = address.rpartition("@")
        if domain in self.domains:
            return Place.HERE
        if not (at and local and domain):
            return Place.NOWHERE
        if domain in self.veiled:
            return Place.VEILED
        return Place.SHARED if domain in self.shared else Place.OUTSIDE

    def look_at(self, address: str, dots: Dots = Dots.CUT) -> Sight:
        """See an address as PurelyMail does: the tag goes first, then rules are asked.

        The vendor confirmed that order (purelymail-issues, #183).
        """
        if dots == Dots.DROPPED:
            return self._look_at(address, dots)
        if address not in self._seen:
            self._seen[address] = self._look_at(address, dots)
        return self._seen[address]

    def _look_at(self, address: str, dots: Dots) -> Sight:
        address = address.strip().lower()
        place = self.place_of(address)
        local, _, domain = address.rpartition("@")
        if place in (Place.HERE, Place.SHARED) and self.has_subaddressing(domain):
            local = without_tag(local, dots)
        read_as = f"{local}@{domain}"
        is_mailbox = read_as in self.mailboxes
        if place == Place.SHARED and not is_mailbox:
            # Somebody else's, with a tag that is theirs to read.
            return Sight(address, address, Place.OUTSIDE, is_mailbox=False)
        if place != Place.HERE:
            read_as = read_as if place == Place.SHARED else address
            return Sight(address, read_as, place, is_mailbox=is_mailbox)
        fitting = self.fitting(domain, local)
        applying = [it for it in fitting if not (it.catchall and is_mailbox)]
        return Sight(
            address,
            read_as,
            place,
            is_mailbox=is_mailbox,
            rule=applying[0] if applying else None,
            over=tuple(applying[1:]),
            spared=tuple(it for it in fitting if it.catchall and is_mailbox),
        )


def without_tag(local: str, dots: Dots = Dots.CUT) -> str:
    """Return a name up to its first symbol, which is whatever is no letter or digit."""
    if local.isalnum():  # as most are
        return local
    kept = []
    for character in local:
        if character == "." and dots == Dots.DROPPED:
            continue
        if not character.isalnum():
            break
        kept.append(character)
    return "".join(kept)


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]
