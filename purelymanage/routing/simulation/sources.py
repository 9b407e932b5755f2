"""Which addresses end at a mailbox, in words."""

from __future__ import annotations

from dataclasses import dataclass

from purelymanage.routing.model.accounts import Account
from purelymanage.routing.model.origins import Origin, origins
from purelymanage.routing.model.words import listed

MOST_SHOWN = 200
MOST_EXCEPTIONS = 6


@dataclass(frozen=True, slots=True)
class Source:
    """One line: addresses in words, an exact one to follow, and who is left out."""

    words: str
    address: str = ""
    note: str = ""
    but: str = ""
    everybody: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sources:
    goal: str
    headline: str
    lead: str
    lines: tuple[Source, ...]
    more: int


def sources(account: Account, goal: str) -> Sources:
    """Return what ends at `goal`, which is read like an address, with or without tag."""
    goal = goal if goal in account.mailboxes else account.look_at(goal).read_as
    found = origins(account, goal)
    exact = [it for it in found if not it.prefix]
    many = [it for it in found if it.prefix]
    return Sources(
        goal,
        _headline(goal, exact, many),
        _lead(account, goal, found),
        tuple(_line(it) for it in found[:MOST_SHOWN]),
        max(len(found) - MOST_SHOWN, 0),
    )


def _headline(goal: str, exact: list[Origin], many: list[Origin]) -> str:
    if not exact and not many:
        return f"No mail ends at {goal}"
    what = []
    if exact:
        what.append("1 address" if len(exact) == 1 else f"{len(exact)} addresses")
    if many:
        groups = "1 group" if len(many) == 1 else f"{len(many)} groups"
        what.append(f"{groups} of addresses")
    number = len(exact) + len(many)
    return f"{listed(what)} {'ends' if number == 1 else 'end'} at {goal}"


def _lead(account: Account, goal: str, found: list[Origin]) -> str:
    if goal in account.mailboxes:
        if any(it.covers(goal) for it in found):
            return ""
        return "The mail of its own address is taken by a rule."
    if account.look_at(goal).domain in account.domains:
        return "It is no mailbox. Follow the address to see where its mail goes."
    return "It is outside this account." if found else "It is not in this account."


def _line(origin: Origin) -> Source:
    domain = origin.domain
    if not origin.prefix:
        address = f"{origin.name}@{domain}"
        if not origin.name:
            return Source(f"Any address at {domain} that begins with a symbol")
        note = f"and {origin.name}+anything@{domain}" if origin.is_tagged else ""
        return Source(address, address, note)
    words = f"Any address at {domain}"
    if origin.name:
        words = f"Any address starting with {origin.name} at {domain}"
    but = [f"those starting with {it}" for it in origin.but_prefixes]
    but += [f"{it}@{domain}" for it in origin.but]
    return Source(
        words,
        but=f"except {listed(but, most=MOST_EXCEPTIONS)}" if but else "",
        everybody=tuple(but) if len(but) > MOST_EXCEPTIONS else (),
    )
