"""What a recovery method is, and when two of them are the same."""

from __future__ import annotations

import re
from dataclasses import dataclass

# E.164: a plus, the country and up to 15 digits in all.
PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
FILLING = re.compile(r"[\s().\-/\u00a0]+")


@dataclass(frozen=True, slots=True)
class Method:
    type: str
    target: str
    description: str = ""
    # Whether a reset through it switches the second factor off as well.
    allow_mfa_reset: bool = True


def plain_phone(written: str) -> str:
    """Return a number as PurelyMail wants it, or nothing if it is none.

    People write spaces and brackets, and 00 for the plus.
    """
    digits = FILLING.sub("", written.strip().replace("(0)", ""))
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    return digits if PHONE.fullmatch(digits) else ""


def same_target(one: str, other: str) -> bool:
    """Tell whether both are one address or number, however they are written."""
    return _plain(one) == _plain(other)


def _plain(target: str) -> str:
    return plain_phone(target) or target.strip().lower()
