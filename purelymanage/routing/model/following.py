"""Following a message from address to address until it arrives or cannot go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from purelymanage.routing.model.accounts import Account, Dots, Place, Sight


class End(StrEnum):
    """Where one copy of a message ends."""

    MAILBOX = "mailbox"
    OUTSIDE = "outside"
    BOUNCE = "bounce"
    # A rule without targets takes it.
    NOBODY = "nobody"
    # It comes back to an address that it came from.
    CIRCLE = "circle"
    # From here it goes where another copy went already.
    AGAIN = "again"
    # Beyond what the person asking may see.
    VEILED = "veiled"


@dataclass(slots=True)
class Visit:
    """One address on the way. `end` is None where a rule sends the message on.

    `parent` is the number of the visit it came from, `stays` whether the rule there
    names the address itself, and `is_repeated` whether a copy came here before.
    """

    number: int
    depth: int
    parent: int | None
    sight: Sight
    end: End | None = None
    stays: bool = False
    is_repeated: bool = False
    circle: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        return self.sight.address

    @property
    def read_as(self) -> str:
        return self.sight.read_as


@dataclass(slots=True)
class Walk:
    """All that happens to mail for one address, each visit before those it leads to."""

    visits: list[Visit] = field(default_factory=list)

    @property
    def start(self) -> Visit:
        return self.visits[0]

    def ended(self, end: End) -> list[str]:
        """Return the addresses where copies end so, each once, in order."""
        found = (it.read_as for it in self.visits if it.end == end)
        return list(dict.fromkeys(found))

    @property
    def mailboxes(self) -> list[str]:
        return self.ended(End.MAILBOX)

    @property
    def outside(self) -> list[str]:
        return self.ended(End.OUTSIDE)

    @property
    def bounces(self) -> list[str]:
        return self.ended(End.BOUNCE)

    @property
    def circles(self) -> list[tuple[str, ...]]:
        return [visit.circle for visit in self.visits if visit.circle]

    @property
    def passed_over(self) -> list[str]:
        """Return mailboxes on the way that a rule takes the message from."""
        reached = set(self.mailboxes)
        passed = (
            it.read_as
            for it in self.visits
            if it.sight.is_mailbox and it.sight.rule and it.read_as not in reached
        )
        return list(dict.fromkeys(passed))

    @property
    def redirects(self) -> int:
        """Return how many rules one copy goes through at most."""
        return max(visit.depth for visit in self.visits)

    def onward(self, visit: Visit) -> list[Visit]:
        return [it for it in self.visits if it.parent == visit.number]


def follow(account: Account, address: str, dots: Dots = Dots.CUT) -> Walk:
    """Tell where mail for `address` goes.

    Each address is followed once. One that a rule names for itself does not change
    any more, so the message stays there; one that it came from already is a circle.
    """
    walk = Walk()
    # Addresses whose rule was followed, and how the others ended.
    followed: set[str] = set()
    endings: dict[str, End] = {}
    open_: list[tuple[Visit, Iterator[str]]] = []
    path: list[str] = []

    def arrive(address: str, parent: Visit | None) -> None:
        sight = account.look_at(address, dots)
        visit = Visit(
            number=len(walk.visits),
            depth=parent.depth + 1 if parent else 0,
            parent=parent.number if parent else None,
            sight=sight,
        )
        walk.visits.append(visit)
        key = sight.read_as
        if parent and parent.read_as == key:
            visit.stays = True
            visit.end = End.MAILBOX if sight.is_mailbox else End.BOUNCE
        elif key in path:
            visit.end = End.CIRCLE
            visit.circle = (*path[path.index(key) :], key)
            return
        elif key in followed:
            visit.end = End.AGAIN
            visit.is_repeated = True
            return
        elif sight.rule is None:
            visit.end = _end_of(sight)
        elif not sight.rule.targets:
            visit.end = End.NOBODY
        if visit.end is None:
            followed.add(key)
            path.append(key)
            open_.append((visit, iter(sight.rule.targets if sight.rule else ())))
        else:
            visit.is_repeated = endings.get(key) == visit.end
            endings[key] = visit.end

    arrive(address, None)
    while open_:
        visit, targets = open_[-1]
        target = next(targets, None)
        if target is None:
            open_.pop()
            path.pop()
        else:
            arrive(target, visit)
    return walk


def _end_of(sight: Sight) -> End:
    if sight.is_mailbox:
        return End.MAILBOX
    if sight.place == Place.OUTSIDE:
        return End.OUTSIDE
    if sight.place == Place.VEILED:
        return End.VEILED
    return End.BOUNCE
