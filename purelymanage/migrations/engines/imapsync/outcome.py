"""From what was printed and how the process ended to what went wrong, if anything."""

from __future__ import annotations

import signal

from purelymanage.imap.account import Account
from purelymanage.imap.errors import (
    CertificateRefused,
    ConnectionLost,
    ImapError,
    LoginRefused,
    Refused,
    Unreachable,
)
from purelymanage.migrations.engines.base import BudgetUsed

from .complaints import Complaint, Kind
from .parsing import Transcript

OTHER_ENGINE = "The engine pipeline may manage it."

_SIDE_OF_CODE = {101: 1, 102: 2, 161: 1, 162: 2}
_LOGIN_CODES = {16, 161, 162}
_CONNECTION_CODES = {10, 12, 101, 102}
# These speak of single messages and folders, which are listed by themselves.
_ITEM_CODES = {0, 7, 111, 112, 113, 114, 115, 116, 117, 118, 119, 120}


class Interrupted(ImapError):
    """The program was ended by somebody, or by a machine without memory to spare."""

    retry = True


class NotRun(ImapError):
    """The program did not do what it was started for."""


def find_failure(
    transcript: Transcript, status: int, accounts: tuple[Account, Account]
) -> ImapError | None:
    """Return what ended the run too early, or None if it came to its end.

    What became of each message is another question: only a new look at both sides
    answers it, not an exit code.
    """
    if transcript.missing_module:
        return NotRun(
            "imapsync does not start here, as Perl lacks a part that it needs.",
            transcript.missing_module,
        )
    if transcript.not_started:
        return NotRun("imapsync does not start here.", transcript.not_started)
    entering = [
        _entering(complaint, accounts)
        for complaint in transcript.complaints
        if not complaint.uid and complaint.side not in transcript.logged_in
    ]
    found = [failure for failure in entering if failure is not None]
    if found:
        # What needs a person comes before what passes by itself.
        return min(found, key=lambda failure: failure.retry)
    for kind in (Kind.QUOTA, Kind.PASSING, Kind.BUDGET):
        for complaint in transcript.complaints:
            if complaint.kind == kind:
                return _ending(complaint)
    return _by_status(transcript, status, accounts)


def hopeless(transcript: Transcript) -> bool:
    """Say whether going on would only repeat what was refused."""
    kinds = {Kind.QUOTA, Kind.PASSING}
    return any(complaint.kind in kinds for complaint in transcript.complaints)


def explain(complaint: Complaint) -> str:
    """Return why one message, or one folder, was not copied."""
    match complaint.kind:
        case Kind.NAMELESS:
            return (
                "imapsync leaves out messages without Message-ID and Received. "
                "The engine pipeline copies them."
            )
        case Kind.UNREADABLE:
            return f"The source refused it: {complaint.text}"
        case Kind.SIZE | Kind.REFUSED:
            return f"The destination refused it: {complaint.text}"
        case Kind.FOLDER:
            return f"The folder could not be opened or created: {complaint.text}"
    return f"imapsync could not copy it: {complaint.text}"


def _entering(
    complaint: Complaint, accounts: tuple[Account, Account]
) -> ImapError | None:
    if complaint.side not in {1, 2}:
        return None
    account, text = accounts[complaint.side - 1], complaint.text
    place = account.place
    match complaint.kind:
        case Kind.LOGIN:
            return LoginRefused(
                f"The {place} refused this password for {account.user}.", text
            )
        case Kind.PASSING:
            later = Refused(
                f"The {place} lets {account.user} in later, not now.",
                text,
                code=complaint.code,
            )
            later.retry = True
            return later
        case Kind.CERTIFICATE:
            return CertificateRefused(
                f"The certificate of the {place} is not trusted.", text
            )
        case Kind.NOBODY:
            return Unreachable(f"Nobody listens at the {place}.", text)
        case Kind.NO_NAME:
            return Unreachable(
                f"The {place} was not found: no server has this name.", text
            )
        case Kind.INSECURE:
            return Unreachable(f"No secure connection to the {place}.", text)
        case Kind.UNREACHABLE:
            return Unreachable(f"The {place} cannot be reached.", text)
        case Kind.LOST:
            return ConnectionLost(f"The {place} hung up during the log-in.", text)
    return None


def _ending(complaint: Complaint) -> ImapError:
    text = complaint.text
    if complaint.kind == Kind.BUDGET:
        return BudgetUsed("As much was copied as is allowed for now.")
    if complaint.kind == Kind.QUOTA or complaint.side == 2:
        sentence = "The destination takes no more messages."
    else:
        sentence = "The source gives out nothing more for now."
    return Refused(sentence, text, code=complaint.code)


def _by_status(
    transcript: Transcript, status: int, accounts: tuple[Account, Account]
) -> ImapError | None:
    if status < 0:
        name = _signal_name(-status)
        return Interrupted(
            "imapsync was ended from outside, perhaps because the machine ran out of "
            "memory.",
            name,
        )
    lost = [it for it in transcript.complaints if it.kind == Kind.LOST]
    if lost:
        side = accounts[(lost[-1].side or 1) - 1]
        return ConnectionLost(f"The {side.place} fell silent.", lost[-1].text)
    if transcript.exit is None:
        return NotRun(
            f"imapsync ended without saying how. {OTHER_ENGINE}", f"status {status}"
        )
    return _by_code(transcript, status, accounts)


def _by_code(
    transcript: Transcript, status: int, accounts: tuple[Account, Account]
) -> ImapError | None:
    """Judge by the code where no line said more."""
    name = transcript.exit.name if transcript.exit else ""
    technical = f"status {status} {name}".strip()
    if status in _ITEM_CODES:
        if transcript.logged_in == {1, 2}:
            return None
        return NotRun(
            f"imapsync ended before it was signed in. {OTHER_ENGINE}", technical
        )
    side = _SIDE_OF_CODE.get(status, 0)
    if status in _LOGIN_CODES | _CONNECTION_CODES:
        # After a first attempt that failed, a second one may have gone well.
        if side in transcript.logged_in or transcript.logged_in == {1, 2}:
            return None
        account = accounts[side - 1 if side else 0]
        if status in _LOGIN_CODES:
            return LoginRefused(
                f"The {account.place} refused this password for {account.user}.",
                technical,
            )
        return Unreachable(f"The {account.place} cannot be reached.", technical)
    if status == 6:
        return Interrupted("imapsync was ended from outside.", technical)
    return NotRun(f"imapsync did not do its work. {OTHER_ENGINE}", technical)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
