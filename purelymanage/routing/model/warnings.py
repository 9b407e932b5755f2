"""What is wrong with the rules that are there, all at once for a list."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

from purelymanage.routing.model.accounts import Account
from purelymanage.routing.model.checks import (
    bad_targets,
    circling,
    custom,
    missing_targets,
    names,
    never_applies,
    no_targets,
    silenced,
)
from purelymanage.routing.model.findings import Finding
from purelymanage.routing.model.rules import Rule

Graph = dict[str, list[str]]


def warnings(
    account: Account, rules: Sequence[Rule] | None = None
) -> dict[Rule, list[Finding]]:
    """Return the findings of each rule that has any, or of those that are asked for."""
    rules = account.rules if rules is None else rules
    taken: dict[Rule, list[str]] = {}
    # A rule takes mail of its own domain alone, and of names that begin as it says.
    beginnings: dict[str, set[str]] = {}
    for rule in rules:
        beginnings.setdefault(rule.domain, set()).add(rule.match_user)
    for domain, begun in beginnings.items():
        fitting = tuple(begun)
        for mailbox in account.boxes_of(domain):
            taker = mailbox.startswith(fitting) and account.look_at(mailbox).rule
            if taker and not names(account, taker, mailbox):
                taken.setdefault(taker, []).append(mailbox)
    circles = _circles(account, rules)
    found = {}
    for rule in rules:
        findings = [
            *no_targets(rule),
            *bad_targets(rule),
            *([circling(circles[rule])] if rule in circles else []),
            *never_applies(account, rule),
            *silenced(account, rule, taken.get(rule, [])),
            *missing_targets(account, rule),
            *custom(rule),
        ]
        if findings:
            found[rule] = findings
    return found


def _circles(account: Account, asked: Sequence[Rule]) -> dict[Rule, tuple[str, ...]]:
    """Return a circle for each rule that is part of one, and leads on from those asked.

    Of several circles it is the same, however many rules are asked for: all that a
    rule is part of can be reached from it.
    """
    onward: Graph = {}
    rules: dict[str, Rule] = {}
    waiting = [target for rule in asked for target in rule.targets]
    while waiting:
        sight = account.look_at(waiting.pop())
        if sight.rule and sight.read_as not in onward:
            reads = map(account.reading, sight.rule.targets)
            onward[sight.read_as] = [it for it in reads if it != sight.read_as]
            rules[sight.read_as] = sight.rule
            waiting += sight.rule.targets
    found: dict[Rule, tuple[str, ...]] = {}
    for address in _cyclic(onward):
        if rules[address] not in found:
            way = _way_back(onward, address)[:-1]
            for place, member in enumerate(way):
                turned = (*way[place:], *way[:place], member)
                found.setdefault(rules[member], turned)
    return found


def _cyclic(onward: Graph) -> list[str]:
    """Return what is left when all that leads nowhere or comes from nowhere is gone.

    Those between two circles are left as well, but there are few of them.
    """
    left = _reached(onward)
    backward: Graph = {it: [] for it in left}
    for address in left:
        for to in onward[address]:
            if to in left:
                backward[to].append(address)
    return sorted(_reached(backward))


def _reached(onward: Graph) -> set[str]:
    """Return what is left of a graph when what nothing leads to goes, over and over."""
    arrows = Counter(to for all_ in onward.values() for to in all_ if to in onward)
    left = set(onward)
    waiting = [it for it in onward if not arrows[it]]
    while waiting:
        address = waiting.pop()
        left.remove(address)
        for to in onward[address]:
            if to in onward:
                arrows[to] -= 1
                if not arrows[to]:
                    waiting.append(to)
    return left


def _way_back(onward: Graph, start: str) -> tuple[str, ...]:
    """Return the shortest way from an address to itself, empty where there is none."""
    came_from: dict[str, str] = {}
    waiting = deque([start])
    while waiting:
        address = waiting.popleft()
        for to in onward.get(address, ()):
            if to == start:
                way = [start, address]
                while way[-1] != start:
                    way.append(came_from[way[-1]])
                return tuple(reversed(way))
            if to not in came_from:
                came_from[to] = address
                waiting.append(to)
    return ()
