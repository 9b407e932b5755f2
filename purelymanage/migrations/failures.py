"""What went wrong with a copy, whether it passes by itself, and what to do about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from purelymanage.imap.backoff import told_wait
from purelymanage.imap.errors import (
    CertificateRefused,
    ConnectionLost,
    ImapError,
    LoginRefused,
    ProtocolError,
    Refused,
    Unreachable,
    is_about_size,
)
from purelymanage.migrations.engines.base import BudgetUsed, Outcome, SameMailbox
from purelymanage.migrations.limits import next_day
from purelymanage.migrations.models import Run

Trouble = Run.Trouble
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

_RETRIES = [15 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR]
# How long to wait after each failure in a row; after the last it ends.
PAUSES: dict[str, list[timedelta]] = {
    Trouble.CONNECTION: _RETRIES,
    Trouble.DESTINATION: _RETRIES,
    # A server that is asked too often closes for longer: only once more.
    Trouble.PASSWORD: [10 * MINUTE],
    Trouble.THROTTLED: [5 * MINUTE, 15 * MINUTE, 30 * MINUTE, *[HOUR] * 24],
    Trouble.STALLED: [15 * SECOND, 5 * MINUTE, 30 * MINUTE],
}
# Told to somebody from this one in a row on.
STALLS_TOLD = 2

_THROTTLED = re.compile(
    r"back-?off time|throttl|rate limit|too many (?:simultaneous|concurrent|connections"
    r"|logins?|requests|attempts|failed|failures|commands|bad auth)"
    r"|maximum number of connections|bandwidth limit|command or bandwidth"
    r"|temporarily blocked|try again later",
    re.IGNORECASE,
)
_UNTIL_TOMORROW = re.compile(
    r"bandwidth limit|command or bandwidth|daily (?:limit|quota)", re.IGNORECASE
)
_FULL = re.compile(
    r"over ?quota|quota (?:exceeded|reached|full)|exceed\w* (?:\w+ )?quota"
    r"|mailbox (?:is )?full|not enough (?:disk )?space|out of storage",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """A class of failure, in a sentence, and when to try again if that is known."""

    trouble: Run.Trouble
    sentence: str
    technical: str = ""
    # As the server or the calendar says; without it by the pauses of the class.
    until: datetime | None = None
    # Whether it is put off by `until` for any number of times.
    is_told: bool = False
    # Whether trying again may help, for as long as its class allows.
    passes: bool = True
    # Of a password: whether it is that of the mailbox that is copied from.
    is_about_source: bool = True


def diagnose(failure: ImapError, at: datetime) -> Diagnosis:
    """Return what kind of failure it is; what was said counts more than when."""
    words = f"{failure.technical} {failure.message}"
    side = side_of(failure.message)
    code = failure.code if isinstance(failure, Refused) else ""
    if isinstance(failure, BudgetUsed):
        return Diagnosis(
            trouble=Trouble.BUDGET,
            sentence="As much was copied as may be copied in one day.",
            until=next_day(at),
            is_told=True,
        )
    if _is_throttle(code, words, side):
        return _throttled(failure, words, at)
    if code == "OVERQUOTA" or (side != "source" and _FULL.search(failure.technical)):
        return _of(failure, Trouble.QUOTA)
    return _of(failure, _kind(failure, code))


def diagnose_items(outcome: Outcome, at: datetime) -> Diagnosis | None:
    """Return what the single failures have in common that passes, or must be asked."""
    for error in outcome.errors:
        if _THROTTLED.search(error.reason):
            failure = ImapError("The server asked us to slow down.", error.reason)
            return _throttled(failure, error.reason, at)
    for error in outcome.errors:
        if _FULL.search(error.reason):
            return Diagnosis(
                trouble=Trouble.QUOTA,
                sentence="The destination takes no more messages: it is full.",
                technical=error.reason,
            )
    return None


def is_oversize(outcome: Outcome) -> bool:
    """Whether messages were left out because they are too large."""
    return any(it.uid and is_about_size(it.reason) for it in outcome.errors)


def is_about_fullness(words: str) -> bool:
    return _FULL.search(words) is not None


def is_about_speed(words: str) -> bool:
    return _THROTTLED.search(words) is not None


def stalled(phase: str, minutes: int) -> Diagnosis:
    return Diagnosis(
        trouble=Trouble.STALLED,
        sentence=f"Nothing moved for {minutes} minutes while {phase}.",
    )


def side_of(sentence: str) -> str:
    """Return which of the two mailboxes a sentence of the engine is about."""
    found = re.search(r"\b(source|destination)\b", sentence)
    return found[1] if found else ""


def _is_throttle(code: str, words: str, side: str) -> bool:
    if code == "THROTTLED" or _THROTTLED.search(words):
        return True
    # Dovecot says LIMIT of a message that is too large, too.
    if code == "LIMIT" and not is_about_size(words):
        return True
    # What comes from the source adds to nobody's quota: it is what Gmail says to
    # somebody who has read too much for one day.
    is_full = code == "OVERQUOTA" or "[OVERQUOTA]" in words
    return is_full and side == "source"


def _throttled(failure: ImapError, words: str, at: datetime) -> Diagnosis:
    until = None
    if wait := told_wait(words):
        until = at + wait
    elif _UNTIL_TOMORROW.search(words) or "OVERQUOTA" in _codes(failure, words):
        until = next_day(at)
    return Diagnosis(
        trouble=Trouble.THROTTLED,
        sentence=f"{_who(failure)} asked us to slow down.",
        technical=failure.technical,
        until=until,
        is_told=until is not None,
    )


def _codes(failure: ImapError, words: str) -> str:
    return f"{failure.code if isinstance(failure, Refused) else ''} {words}"


def _kind(failure: ImapError, code: str) -> Run.Trouble:
    match failure:
        case LoginRefused():
            return Trouble.PASSWORD
        case CertificateRefused():
            return Trouble.CERTIFICATE
        case Unreachable() | ConnectionLost():
            return Trouble.CONNECTION
        case Refused() if code in {"INUSE", "UNAVAILABLE", "SERVERBUG"}:
            return Trouble.CONNECTION
        case SameMailbox():
            return Trouble.OTHER
        case Refused() | ProtocolError():
            return Trouble.PROTOCOL
    # What an engine could not do by itself, the other one may manage.
    return Trouble.CONNECTION if failure.retry else Trouble.PROTOCOL


def _of(failure: ImapError, trouble: Run.Trouble) -> Diagnosis:
    return Diagnosis(
        trouble=trouble, sentence=failure.message, technical=failure.technical
    )


def _who(failure: ImapError) -> str:
    side = side_of(failure.message)
    return {"source": "The old server", "destination": "The destination"}.get(
        side, "The server"
    )
