"""Two witnesses: what PurelyMail says beside what we see, and whose word is older."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from purelymanage.domains.dns.expected import DKIM_KINDS, Kind
from purelymanage.domains.dns.verdicts import State
from purelymanage.domains.models import Domain, Health
from purelymanage.domains.presentation.rows import WORDS, states_of, tone_of

SHOWN = {
    "passes_mx": ("MX", (Kind.MX,)),
    "passes_spf": ("SPF", (Kind.SPF,)),
    "passes_dkim": ("DKIM", DKIM_KINDS),
    "passes_dmarc": ("DMARC", (Kind.DMARC,)),
}
# The worst of several keys speaks for all.
ORDER = (State.MISSING, State.WRONG, State.UNKNOWN, State.RIGHT)


@dataclass(frozen=True, slots=True)
class Testimony:
    """What both say about one kind of record."""

    label: str
    our_tone: str
    our_words: str
    their_tone: str
    their_words: str
    is_disputed: bool
    # It works, and PurelyMail's check wants its own record all the same.
    is_stricter: bool


@dataclass(frozen=True, slots=True)
class Witnesses:
    testimonies: tuple[Testimony, ...]
    looked_at: datetime | None
    asked_at: datetime | None  # when PurelyMail was last made to look
    next_ask_at: datetime | None

    @property
    def disputed(self) -> str:
        *most, last = [it.label for it in self.testimonies if it.is_disputed] or [""]
        return f"{', '.join(most)} and {last}" if most else last

    @property
    def stricter(self) -> str:
        *most, last = [it.label for it in self.testimonies if it.is_stricter] or [""]
        return f"{', '.join(most)} and {last}" if most else last

    @property
    def is_ours_older(self) -> bool:
        """Whether PurelyMail has looked since we did."""
        return (
            self.asked_at is not None
            and self.looked_at is not None
            and self.asked_at > self.looked_at
        )


def witnesses_of(domain: Domain, health: Health | None) -> Witnesses:
    return Witnesses(
        tuple(_testimony(domain, health, verdict) for verdict in SHOWN),
        health.looked_at if health else None,
        health.rechecked_at if health else None,
        health.next_recheck_at if health else None,
    )


def _testimony(domain: Domain, health: Health | None, verdict: str) -> Testimony:
    label, kinds = SHOWN[verdict]
    passes = getattr(domain, verdict)
    if health is None:
        ours = State.UNKNOWN
    else:
        states = states_of(health)
        ours = min((states[kind] for kind in kinds), key=ORDER.index)
    is_disputed = health is not None and verdict in health.disputed
    return Testimony(
        label,
        tone_of(kinds[0], ours),
        "not looked at yet" if health is None else WORDS[ours],
        tone_of(kinds[0], State.RIGHT if passes else State.WRONG),
        "right" if passes else "not right",
        is_disputed,
        ours is State.RIGHT and not passes and not is_disputed,
    )
