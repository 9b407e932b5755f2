"""Passwords of mailboxes: how the panel makes them, and what typed ones must be."""

from __future__ import annotations

import re
import secrets

from purelymanage.accounts.passwords import Strength, rate

# Nothing that can be taken for something else when read out or written down. The
# browser's "Make another" uses the same (static/js/password.js).
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP_LENGTH = 4, 5
# To rate so many characters takes time and cannot end well: there are a hundred
# million guesses at most.
NEVER_ENOUGH = 8


def make_password() -> str:
    """Return a random password worth 99 bits."""
    groups = (
        "".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH))
        for _ in range(GROUPS)
    )
    return "-".join(groups)


def object_to_password(password: str) -> str:
    """Return what will trouble its owner, however strong it is; empty if nothing."""
    if password != password.strip():
        return "The password begins or ends with a space, which nobody sees."
    if not password.isprintable():
        return "The password has an invisible character."
    return ""


def known_words(*names: str) -> list[str]:
    """Return what somebody would try first who knows these names."""
    return [*names, *(part for it in names for part in re.split(r"\W", it))]


def object_to_strength(password: str, address: str) -> str:
    """Return why a password for this address is too weak, empty if it is not."""
    if len(password) <= NEVER_ENOUGH:
        return (
            f"This password is too weak: it has {len(password)} characters. "
            f"{NEVER_ENOUGH + 1} are the least, and mostly not enough."
        )
    local, _, domain = address.rpartition("@")
    strength = rate(password, known=known_words(local, domain))
    return "" if strength.is_good_enough else say_weak(strength)


def say_weak(strength: Strength) -> str:
    return (
        f"This password is too weak: it would be guessed in {strength.guessed_in}. "
        f"{strength.advice}"
    ).strip()
