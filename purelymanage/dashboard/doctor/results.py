from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    GOOD = "good"
    ATTENTION = "attention"
    BROKEN = "broken"


@dataclass(frozen=True)
class Result:
    """What was found, and what to do about it where that is something bad.

    Neither may hold a secret: both are printed, and sent to whoever helps.
    """

    subject: str
    tone: Tone
    sentence: str
    fix: str = ""


@dataclass(frozen=True)
class Check:
    """A look at one thing, which must not take longer than `seconds`."""

    subject: str
    look: Callable[[], Iterable[Result]]
    seconds: float = 5.0


def good(subject: str, sentence: str) -> Result:
    return Result(subject, Tone.GOOD, sentence)


def attention(subject: str, sentence: str, fix: str) -> Result:
    return Result(subject, Tone.ATTENTION, sentence, fix)


def broken(subject: str, sentence: str, fix: str) -> Result:
    return Result(subject, Tone.BROKEN, sentence, fix)
