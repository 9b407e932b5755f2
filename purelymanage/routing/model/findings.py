"""What is to be said about a rule, before it is saved or in a list."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from purelymanage.routing.model.rules import Rule


class Check(StrEnum):
    # PurelyMail, or common sense, does not take it.
    NOT_OUR_DOMAIN = "not_our_domain"
    BAD_NAME = "bad_name"
    NO_TARGETS = "no_targets"
    TOO_MANY_TARGETS = "too_many_targets"
    BAD_TARGET = "bad_target"
    DUPLICATE = "duplicate"
    CLASH = "clash"
    # It would do harm, or nothing.
    CIRCLE = "circle"
    NEVER_APPLIES = "never_applies"
    SILENCES_DOMAIN = "silences_domain"
    TAKES_MAIL = "takes_mail"
    MISSING_TARGET = "missing_target"
    CUSTOM = "custom"
    # It is as it should be, and good to know.
    SHADOWED = "shadowed"
    SHADOWS = "shadows"
    OUTSIDE = "outside"
    VEILED = "veiled"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a rule: what is so, and what one can do.

    `tone` is `broken`, `attention`, or `waiting` for what is only good to know.
    `blocks` says that saving is of no use. `copies` are mailboxes that keep their mail
    once they are among the targets, `confirm` is what has to be typed first.
    """

    check: Check
    tone: str
    title: str
    text: str = ""
    blocks: bool = False
    addresses: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    confirm: str = ""
    others: tuple[Rule, ...] = ()
