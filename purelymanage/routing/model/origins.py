"""The other way round: which addresses end at a mailbox.

The names of a domain fall into few classes that share their fate: each name that a
mailbox, an exact rule or a target has, and for each prefix rule all other names that
have it as their longest prefix. One walk for each class answers for all names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from purelymanage.routing.model.accounts import Account, Place, without_tag
from purelymanage.routing.model.following import Walk, follow


@dataclass(frozen=True, slots=True)
class Origin:
    """Addresses of a domain that end at the same place.

    `name` is the whole name, or with `prefix` its beginning. Names in `but` and those
    that begin like one of `but_prefixes` are not meant. `is_tagged` says that what
    follows a symbol does not matter.
    """

    domain: str
    name: str
    prefix: bool
    but: tuple[str, ...] = ()
    but_prefixes: tuple[str, ...] = ()
    is_tagged: bool = False

    @property
    def pattern(self) -> str:
        return f"{self.name}{'*' if self.prefix else ''}@{self.domain}"

    def covers(self, address: str) -> bool:
        local, _, domain = address.lower().rpartition("@")
        if domain != self.domain or not local:
            return False
        if self.is_tagged:
            local = without_tag(local)
        if not self.prefix:
            return local == self.name
        return (
            local.startswith(self.name)
            and local not in self.but
            and not local.startswith(self.but_prefixes)
        )


@dataclass(slots=True)
class _Region:
    """All names that begin so, without the names and regions inside that differ."""

    name: str
    ends_here: bool
    parent: _Region | None = None

    @property
    def top(self) -> _Region:
        """The outermost region around it that shares its fate without a gap."""
        region = self
        while region.parent and region.parent.ends_here == self.ends_here:
            region = region.parent
        return region


def origins(account: Account, goal: str) -> list[Origin]:
    """Return the addresses whose mail, or a copy of it, ends at `goal`."""
    goal = goal.strip().lower()
    if goal not in account.mailboxes:
        goal = account.look_at(goal).read_as
    # Of a part, those domains are left out from where nothing leads there.
    names: dict[str, set[str]] = {domain: set() for domain in account.read_domains}
    for address in (*account.mailboxes, *_targets(account)):
        local, _, domain = account.reading(address).rpartition("@")
        if domain in names:
            names[domain].add(local)
    found = [
        origin
        for domain in sorted(names)
        for origin in _of_domain(account, domain, names[domain], goal)
    ]
    local, _, domain = goal.rpartition("@")
    if account.place_of(goal) == Place.SHARED and goal in account.mailboxes:
        found.append(Origin(domain, local, prefix=False, is_tagged=True))
    return found


def _targets(account: Account) -> set[str]:
    return {target for rule in account.rules for target in rule.targets}


def _of_domain(
    account: Account, domain: str, names: set[str], goal: str
) -> Iterator[Origin]:
    is_tagged = account.has_subaddressing(domain)
    regions = _regions(account, domain, goal)
    # Names that are not simply some of many.
    names |= {it.match_user for it in account.rules_for(domain) if not it.prefix}
    if is_tagged:
        # Also the name of which nothing is left, as it began with a symbol.
        names = {name for name in names if without_tag(name) == name}
    else:
        names -= {""}
    but: dict[str, list[str]] = {name: [] for name in regions}
    for local in sorted(names):
        ends_here = _arrives(follow(account, f"{local}@{domain}"), goal)
        around = _around(regions, local)
        is_inside = around is not None and around.ends_here
        if ends_here and not is_inside:
            yield Origin(domain, local, prefix=False, is_tagged=is_tagged)
        elif around and is_inside and not ends_here:
            but[around.top.name].append(local)
    gaps: dict[str, list[str]] = {name: [] for name in regions}
    for region in regions.values():
        if region.parent and region.parent.ends_here and not region.ends_here:
            gaps[region.parent.top.name].append(region.name)
    for name, region in regions.items():
        if region.ends_here and region.top is region:
            yield Origin(
                domain,
                name,
                prefix=True,
                but=tuple(but[name]),
                but_prefixes=tuple(sorted(gaps[name])),
                is_tagged=is_tagged,
            )


def _regions(account: Account, domain: str, goal: str) -> dict[str, _Region]:
    """Return the prefixes of a domain, shorter ones first."""
    regions: dict[str, _Region] = {}
    prefixes = {rule.match_user for rule in account.rules_for(domain) if rule.prefix}
    for name in sorted(prefixes, key=lambda it: (len(it), it)):
        if account.has_subaddressing(domain) and without_tag(name) != name:
            continue  # no name begins so once its tag is gone
        rule = next(it for it in account.fitting(domain, name) if it.prefix)
        # A name that is nowhere else goes where the targets lead.
        leads = any(_arrives(follow(account, it), goal) for it in rule.targets)
        regions[name] = _Region(name, leads, _around(regions, name))
    return regions


def _around(regions: dict[str, _Region], local: str) -> _Region | None:
    """Return the smallest region that a name is in."""
    beginnings = (local[:length] for length in range(len(local), -1, -1))
    return next((regions[it] for it in beginnings if it in regions), None)


def _arrives(walk: Walk, goal: str) -> bool:
    return goal in walk.mailboxes or goal in walk.outside
