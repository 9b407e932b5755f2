"""When people are told that a domain's state changed, and not of every flicker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from purelymanage.audit.events import Event
from purelymanage.domains.schedule import AGREES_AFTER

# Not being able to look is no state of the domain.
TELLING = ("good", "attention", "broken")
EVENTS = {
    "good": Event.DOMAIN_RECOVERED,
    "attention": Event.DOMAIN_NEEDS_ATTENTION,
    "broken": Event.DOMAIN_BROKE,
}


@dataclass(frozen=True, slots=True)
class Announced:
    """What people were told of a domain, and what they may have to be told next."""

    state: str
    turning_to: str = ""
    turning_since: datetime | None = None


def after_look(told: Announced, state: str, now: datetime) -> tuple[Announced, bool]:
    """Return what is told after a look that saw `state`, and whether that is news.

    Two looks ten minutes apart must agree. The first state of all is no news, and a
    look that could not see anything changes nothing.
    """
    if state not in TELLING:
        return told, False
    if told.state not in TELLING:
        return Announced(state), False
    if state == told.state:
        return Announced(state), False
    if state != told.turning_to or told.turning_since is None:
        return Announced(told.state, state, now), False
    if now - told.turning_since < AGREES_AFTER:
        return told, False
    return Announced(state), True


def in_words(parts: Sequence[str]) -> str:
    """Join what is wrong into a line for an alert."""
    most, last = parts[:-1], parts[-1]
    return f"{', '.join(most)} and {last}" if most else last
