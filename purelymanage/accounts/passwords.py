"""How good a typed password is, for people of the panel and for mailboxes alike."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError

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


def rate(password: str, *, known: list[str]) -> Strength:
    """Say how hard `password` is to guess for somebody who knows the words `known`."""
    from zxcvbn import zxcvbn  # with its lists of words, which few processes need

    result = zxcvbn(password[:RATED_LENGTH], user_inputs=[it for it in known if it])
    feedback = result["feedback"]
    advice = [feedback["warning"], *feedback["suggestions"]]
    return Strength(
        score=result["score"],
        guessed_in=str(result["crack_times_display"][ATTACK]),
        advice=" ".join(f"{it.rstrip('.')}." for it in advice if it),
    )


class StrengthValidator:
    """Refuses what is guessed soon, wherever Django or allauth takes a password."""

    def validate(self, password: str, user: object | None = None) -> None:
        email: str = getattr(user, "email", "")
        name: str = getattr(user, "name", "")
        known = [
            email,
            *email.lower().split("@"),
            *name.lower().split(),
            "purelymanage",
        ]
        strength = rate(password, known=known)
        if not strength.is_good_enough:
            sentence = (
                "This password is too easy to guess: it would be found in "
                f"{strength.guessed_in}. {strength.advice}"
            )
            raise ValidationError(sentence.strip(), code="password_too_weak")

    def get_help_text(self) -> str:
        return "Several unrelated words make a password that is hard to guess."
