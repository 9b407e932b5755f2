"""Passwords for mailboxes: made ones, and how good typed ones are."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from zxcvbn import zxcvbn

# Nothing that can be taken for something else when read out or written down. The
# browser's "Make another" uses the same (static/js/password.js).
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP_LENGTH = 4, 5

GOOD_ENOUGH = 3
RATED_LENGTH = 72  # rating takes longer the longer a password is
# An online attacker is slow; whoever has stolen the hashes is not.
ATTACK = "offline_slow_hashing_1e4_per_second"


@dataclass(frozen=True, slots=True)
class Strength:
    score: int  # 0 to 4
    guessed_in: str
    advice: str

    @property
    def is_good_enough(self) -> bool:
        return self.score >= GOOD_ENOUGH

    @property
    def tone(self) -> str:
        return "good" if self.is_good_enough else "attention"

    @property
    def words(self) -> str:
        return ("Very weak", "Very weak", "Weak", "Good", "Strong")[self.score]


def make_password() -> str:
    """Return a random password worth 99 bits."""
    groups = (
        "".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH))
        for _ in range(GROUPS)
    )
    return "-".join(groups)


def rate(password: str, *, known: list[str]) -> Strength:
    """Say how hard `password` is to guess for somebody who knows the words `known`."""
    result = zxcvbn(password[:RATED_LENGTH], user_inputs=[it for it in known if it])
    feedback = result["feedback"]
    advice = [feedback["warning"], *feedback["suggestions"]]
    return Strength(
        score=result["score"],
        guessed_in=str(result["crack_times_display"][ATTACK]),
        advice=" ".join(f"{it.rstrip('.')}." for it in advice if it),
    )
