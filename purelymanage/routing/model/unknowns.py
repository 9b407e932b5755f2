"""Where nobody outside PurelyMail knows what it does, said of one walk."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from purelymanage.routing.model.accounts import Account, Dots
from purelymanage.routing.model.following import End, Walk, follow
from purelymanage.routing.model.rules import Kind, Rule
from purelymanage.routing.model.words import listed

# Nobody knows the limit; mail servers commonly allow more than this.
SAFE_REDIRECTS = 10


class Doubt(StrEnum):
    DOTS = "dots"
    NAMELESS = "nameless"
    CUSTOM = "custom"
    CIRCLE = "circle"
    REDIRECTS = "redirects"
    NOBODY = "nobody"
    COPIES = "copies"


@dataclass(frozen=True, slots=True)
class Unknown:
    doubt: Doubt
    sentence: str


def unknowns(account: Account, walk: Walk) -> list[Unknown]:
    """Return what the answer rests on that PurelyMail does not document."""
    found = [_dots(account, walk)]
    if any(_is_nameless(it.read_as) for it in walk.visits):
        found.append(
            Unknown(
                Doubt.NAMELESS,
                "What PurelyMail does with an address that begins with a symbol is "
                "not documented. Here nothing is left of its name.",
            )
        )
    if custom := _custom_rules(walk):
        found.append(
            Unknown(
                Doubt.CUSTOM,
                f"What the custom rule {custom[0].pattern} matches was never tried. "
                "The portal does not offer this combination.",
            )
        )
    if walk.circles:
        found.append(
            Unknown(
                Doubt.CIRCLE,
                "PurelyMail cuts a circle off after a number of redirects that it "
                "does not tell. Whether the message is then refused, lost, or "
                "delivered several times to others on the way is not known.",
            )
        )
    elif walk.redirects > SAFE_REDIRECTS:
        found.append(
            Unknown(
                Doubt.REDIRECTS,
                f"A copy is redirected {walk.redirects} times. PurelyMail stops after "
                "a number that it does not tell.",
            )
        )
    if walk.ended(End.NOBODY):
        found.append(
            Unknown(
                Doubt.NOBODY,
                "Whether mail for a rule without targets is refused or lost is not "
                "known.",
            )
        )
    if walk.mailboxes and any(it.is_repeated for it in walk.visits):
        found.append(
            Unknown(
                Doubt.COPIES,
                "Whether a mailbox that is reached in two ways gets one copy or two "
                "is not known.",
            )
        )
    return [it for it in found if it]


def _dots(account: Account, walk: Walk) -> Unknown | None:
    """Say where mail would go if dots were left out instead of ending the name.

    The manual says the latter; the vendor once said the former (issue 177 there).
    """
    other = follow(account, walk.start.address, Dots.DROPPED)
    if _result(other) == _result(walk):
        return None
    where = listed([*other.mailboxes, *other.outside], most=3)
    return Unknown(
        Doubt.DOTS,
        "PurelyMail says of dots both that they end a name and that they are left "
        f"out. In the second case this ends at {where or 'no mailbox'}.",
    )


def _result(walk: Walk) -> tuple[set[str], ...]:
    ends = (End.MAILBOX, End.OUTSIDE, End.NOBODY, End.VEILED)
    return tuple(set(walk.ended(end)) for end in ends)


def _custom_rules(walk: Walk) -> list[Rule]:
    return [
        rule
        for visit in walk.visits
        for rule in (visit.sight.rule, *visit.sight.over, *visit.sight.spared)
        if rule and rule.kind == Kind.CUSTOM
    ]


def _is_nameless(address: str) -> bool:
    return address.startswith("@") and len(address) > 1
