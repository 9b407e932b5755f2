"""An account as the routing sees it: who is there, and which rule applies to whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import copy
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


class NotRead(LookupError):
    """An answer would rest on something that was left out of a part."""


@dataclass(frozen=True, slots=True)
class Part:
    """What was read of an account: all of some domains, and what single addresses meet.

    Whatever is asked about these has the same answer as in the whole account.
    """

    domains: frozenset[str]
    addresses: frozenset[str]

    def has(self, address: str, domain: str) -> bool:
        return domain in self.domains or address in self.addresses


class Account:
    """Rules, mailboxes and domains, indexed for asking.

    `domains` says of each whether symbolic subaddressing is on. Nothing is known
    about what is behind the `veiled` ones. Where only a `part` was read, questions
    about anything else are refused instead of answered wrongly.
    """

    def __init__(
        self,
        *,
        rules: Iterable[Rule],
        mailboxes: Iterable[str],
        domains: Mapping[str, bool],
        shared: Collection[str] = SHARED_DOMAINS,
        veiled: Collection[str] = (),
        part: Part | None = None,
    ) -> None:
        self._rules: tuple[Rule, ...] | None = tuple(rules)
        self._made_of: tuple[Account, Rule | None, Rule | None] | None = None
        self.mailboxes = frozenset(address.lower() for address in mailboxes)
        self.domains = {name.lower(): on for name, on in domains.items()}
        self.shared = frozenset(name.lower() for name in shared)
        self.veiled = frozenset(name.lower() for name in veiled) - self.domains.keys()
        self.part = part
        self._seen: dict[str, Sight] = {}
        # Filled when it is asked for, and shared by all with the same mailboxes.
        self._boxes: dict[str, list[str]] = {}
        self._by_name: dict[str, dict[tuple[str, bool], list[Rule]]] = {}
        for rule in self._rules or ():
            named = self._by_name.setdefault(rule.domain, {})
            named.setdefault((rule.match_user, rule.prefix), []).append(rule)
        self._lengths = {it: _lengths(named) for it, named in self._by_name.items()}

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All of them in order, which few questions need."""
        if self._rules is None:
            assert self._made_of is not None
            before, old, new = self._made_of
            kept = (it for it in before.rules if it != old)
            self._rules = (*kept, new) if new else tuple(kept)
        return self._rules

    def with_rules(self, rules: Iterable[Rule]) -> Account:
        return Account(
            rules=rules,
            mailboxes=self.mailboxes,
            domains=self.domains,
            shared=self.shared,
            veiled=self.veiled,
            part=self.part,
        )

    def filled(
        self, *, rules: Iterable[Rule], mailboxes: Iterable[str], part: Part
    ) -> Account:
        """Return an account with the same domains, of which only a part was read."""
        return Account(
            rules=rules,
            mailboxes=mailboxes,
            domains=self.domains,
            shared=self.shared,
            veiled=self.veiled,
            part=part,
        )

    def exchanged(self, old: Rule | None, new: Rule | None) -> Account:
        """Return the account without one rule and with another, of which each may be none.

        Only the index of their domains is made anew.
        """
        other = self._copy()
        other._rules, other._made_of = None, (self, old, new)
        other._by_name, other._lengths = dict(self._by_name), dict(self._lengths)
        if old is not None:
            other._index(old.domain, [it for it in self._all(old.domain) if it != old])
        if new is not None:
            other._index(new.domain, [*other._all(new.domain), new])
        return other

    def without(self, mailbox: str) -> Account:
        other = self._copy()
        other.mailboxes = self.mailboxes - {mailbox}
        other._boxes = {}
        return other

    def _copy(self) -> Account:
        other = copy(self)
        other._seen = {}
        return other

    def _index(self, domain: str, rules: Iterable[Rule]) -> None:
        named: dict[tuple[str, bool], list[Rule]] = {}
        for rule in rules:
            named.setdefault((rule.match_user, rule.prefix), []).append(rule)
        self._by_name[domain] = named
        self._lengths[domain] = _lengths(named)

    def _all(self, domain: str) -> list[Rule]:
        return [it for rules in self._by_name.get(domain, {}).values() for it in rules]

    def has_subaddressing(self, domain: str) -> bool:
        return self.domains.get(domain, domain in self.shared)

    def rules_for(self, domain: str) -> list[Rule]:
        self._refuse_unread("", domain)
        return self._all(domain)

    def boxes_of(self, domain: str) -> list[str]:
        self._refuse_unread("", domain)
        if not self._boxes:
            found: dict[str, list[str]] = {}
            for address in sorted(self.mailboxes):
                found.setdefault(domain_of(address), []).append(address)
            self._boxes.update(found)  # at once, as another thread may ask as well
        return self._boxes.get(domain, [])

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

    def reading(self, address: str) -> str:
        """Return what is left of an address without its tag, as `look_at` does."""
        if address in self._seen:
            return self._seen[address].read_as
        return self._read(address.strip().lower(), Dots.CUT)[1]

    @property
    def read_domains(self) -> Collection[str]:
        """Own domains of which everything is known here."""
        if self.part is None:
            return self.domains
        return self.part.domains & self.domains.keys()

    def names_of(self, address: str) -> Iterator[tuple[str, str]]:
        """Return how a rule or a mailbox may know an address: name and domain.

        In whichever way its dots are read, and none where no rule is asked.
        """
        address = address.strip().lower()
        for dots in Dots:
            place, read_as = self._without_tag(address, dots)
            if place in (Place.HERE, Place.SHARED):
                local, _, domain = read_as.rpartition("@")
                yield local, domain

    def _without_tag(self, address: str, dots: Dots) -> tuple[Place, str]:
        place = self.place_of(address)
        if place not in (Place.HERE, Place.SHARED):
            return place, address
        local, _, domain = address.rpartition("@")
        if self.has_subaddressing(domain):
            local = without_tag(local, dots)
        return place, f"{local}@{domain}"

    def _read(self, address: str, dots: Dots) -> tuple[Place, str]:
        place, read_as = self._without_tag(address, dots)
        if place != Place.SHARED:
            return place, read_as
        self._refuse_unread(address, domain_of(address))
        if read_as not in self.mailboxes:
            # Somebody else's, with a tag that is theirs to read.
            return Place.OUTSIDE, address
        return place, read_as

    def _look_at(self, address: str, dots: Dots) -> Sight:
        address = address.strip().lower()
        place, read_as = self._read(address, dots)
        if place != Place.HERE:
            return Sight(address, read_as, place, is_mailbox=read_as in self.mailboxes)
        local, _, domain = read_as.rpartition("@")
        self._refuse_unread(address, domain)
        is_mailbox = read_as in self.mailboxes
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

    def _refuse_unread(self, address: str, domain: str) -> None:
        if self.part is not None and not self.part.has(address, domain):
            raise NotRead(address or domain)


def _lengths(named: Iterable[tuple[str, bool]]) -> list[int]:
    """Return how long the beginnings are that rules of a domain are about."""
    return sorted({len(name) for name, is_prefix in named if is_prefix}, reverse=True)


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
