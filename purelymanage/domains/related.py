"""What the apps to the right know of a domain. They register it here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from purelymanage.accounts.models import User


@dataclass(frozen=True, slots=True)
class Count:
    """How many things of one kind a domain has, and where they are listed."""

    kind: str  # "mailboxes", "rules" or "copies"
    number: int
    words: str  # "12 mailboxes"
    url: str
    icon: str
    # How many of them are done with, where that means something.
    done: int = 0


# For the name of a domain and who asks; nothing for whom it is not.
Counter = Callable[[str, User], Count | None]
# Whether mail is to be moved into mailboxes of the domain.
Mover = Callable[[str], bool]
# The addresses that subaddressing, when it is on, makes unreachable.
Symbolic = Callable[[str], list[str]]

_counters: list[Counter] = []
_movers: list[Mover] = []
_symbolic: list[Symbolic] = []


def register_count(counter: Counter) -> None:
    if counter not in _counters:
        _counters.append(counter)


def register_mover(mover: Mover) -> None:
    if mover not in _movers:
        _movers.append(mover)


def register_symbolic(symbolic: Symbolic) -> None:
    if symbolic not in _symbolic:
        _symbolic.append(symbolic)


def counts_of(name: str, user: User) -> dict[str, Count]:
    """Return what there is in a domain, by kind, as far as this person may see it."""
    found = (counter(name, user) for counter in _counters)
    return {it.kind: it for it in found if it is not None}


def is_moving(name: str) -> bool:
    return any(mover(name) for mover in _movers)


def symbolic_addresses(name: str) -> list[str]:
    return [address for symbolic in _symbolic for address in symbolic(name)]
