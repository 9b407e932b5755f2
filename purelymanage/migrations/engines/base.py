"""What every engine takes, reports and returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from purelymanage.figures import thin
from purelymanage.imap.account import Account
from purelymanage.imap.errors import ImapError


class Phase(StrEnum):
    CONNECTING = "connecting"
    LISTING = "listing"
    READING = "reading"
    COPYING = "copying"
    COMPARING = "comparing"
    DONE = "done"


class Verdict(StrEnum):
    """What a run came to, or for a dry run: whether the whole plan could be made."""

    COMPLETE = "complete"
    SKIPPED = "complete_with_skips"
    INCOMPLETE = "incomplete"
    STOPPED = "stopped"


class FolderState(StrEnum):
    WAITING = "waiting"
    READING = "reading"
    COPYING = "copying"
    DONE = "done"
    FAILED = "failed"


@dataclass(slots=True)
class FolderProgress:
    """One folder of the source; names are as a person writes them."""

    source: str
    destination: str
    messages: int = 0
    bytes: int = 0
    largest: int = 0
    already_there: int = 0
    to_copy: int = 0
    bytes_to_copy: int = 0
    copied: int = 0
    bytes_copied: int = 0
    failed: int = 0
    exists: bool = False
    state: FolderState = FolderState.WAITING

    @property
    def missing(self) -> int:
        """Return how many messages of the source are not known at the destination."""
        return max(0, self.messages - self.already_there - self.copied)


@dataclass(frozen=True, slots=True)
class ItemError:
    """One message, or one folder (uid 0), that could not be copied.

    Without a folder it is what ended the whole copy, for those who read JSON.
    Subjects and addresses are left out on purpose: these rows are stored and shown.
    """

    folder: str
    uid: int
    size: int
    reason: str
    # When the message arrived at the source, where that is known.
    arrived_at: datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        when = self.arrived_at and self.arrived_at.isoformat()
        return asdict(self) | {"arrived_at": when}


@dataclass(slots=True)
class Progress:
    """A snapshot of a running copy; `log` holds the lines since the last snapshot."""

    phase: Phase = Phase.CONNECTING
    detail: str = ""
    folders: list[FolderProgress] = field(default_factory=list)
    errors: list[ItemError] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    @property
    def messages(self) -> int:
        return sum(folder.messages for folder in self.folders)

    @property
    def bytes(self) -> int:
        return sum(folder.bytes for folder in self.folders)

    @property
    def already_there(self) -> int:
        return sum(folder.already_there for folder in self.folders)

    @property
    def to_copy(self) -> int:
        return sum(folder.to_copy for folder in self.folders)

    @property
    def bytes_to_copy(self) -> int:
        return sum(folder.bytes_to_copy for folder in self.folders)

    @property
    def copied(self) -> int:
        return sum(folder.copied for folder in self.folders)

    @property
    def bytes_copied(self) -> int:
        return sum(folder.bytes_copied for folder in self.folders)

    @property
    def failed(self) -> int:
        return sum(folder.failed for folder in self.folders)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """How a run ended. `failure` is what ended it early, if something did."""

    verdict: Verdict
    dry_run: bool
    folders: list[FolderProgress]
    errors: list[ItemError]
    messages_copied: int
    messages_already_there: int
    messages_failed: int
    bytes_copied: int
    seconds: float
    failure: ImapError | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return what `copy_mailbox --json` prints."""
        errors = [error.as_dict() for error in self.errors]
        if self.failure is not None:
            errors.append(ItemError("", 0, 0, self.failure.message).as_dict())
        return {
            "verdict": self.verdict.value,
            "dry_run": self.dry_run,
            "messages_copied": self.messages_copied,
            "messages_already_there": self.messages_already_there,
            "messages_failed": self.messages_failed,
            "bytes_copied": self.bytes_copied,
            "seconds": round(self.seconds, 3),
            "failure": self.failure.message if self.failure else None,
            "folders": [asdict(folder) for folder in self.folders],
            "errors": errors,
        }


class BudgetUsed(ImapError):
    """As many bytes were copied as were allowed for now; the rest can follow later."""


class Leave(NamedTuple):
    """How many bytes more may be copied, and how many others might still be given."""

    granted: int
    # None is without any limit.
    left: int | None


class Allowance(Protocol):
    """Who may copy how much, as somebody else knows.

    Asked in the thread that called `copy`. What is granted is either nothing or
    something between the two numbers.
    """

    def take(self, least: int, most: int) -> Leave: ...


class UpTo:
    """An allowance for a number of bytes."""

    def __init__(self, most_bytes: int) -> None:
        self._left = most_bytes

    def take(self, least: int, most: int) -> Leave:
        granted = min(most, self._left)
        if granted < least:
            return Leave(0, self._left)
        self._left -= granted
        return Leave(granted, self._left)


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyOptions:
    """What to copy and how; the names of folders are as a person writes them."""

    dry_run: bool = True
    # Only these folders of the source; without them, all there are.
    folders: tuple[str, ...] | None = None
    # Folders of the source that are not copied; `*` stands for any characters.
    left_out: tuple[str, ...] = ()
    # Into which folder of the destination one of the source goes, against the rule.
    mapping: tuple[tuple[str, str], ...] = ()
    # The folder of the destination that everything goes below.
    subfolder: str = ""
    skip_trash: bool = False
    skip_junk: bool = False
    # Only messages that arrived on this day or later.
    since: date | None = None
    # Give messages that are there already the flags of the source; copy nothing.
    flags_only: bool = False
    messages_a_second: float | None = None
    # Asked before anything is copied; where it grants nothing more, the copy ends with
    # BudgetUsed.
    allowance: Allowance | None = None
    # What is larger than any allowance will ever be is left out and counted as failed.
    most_a_day: int | None = None
    # How much mail may be in memory between the two servers.
    byte_window: int = 16 * 1024 * 1024
    # Larger messages are left out and counted as failed.
    max_message_bytes: int | None = None
    # To each side at most, where several are faster than one.
    connections: int = 4
    # To a destination that makes us wait a round trip before each message.
    most_connections: int = 8
    connect_timeout: float = 20
    read_timeout: float = 60
    keepalive: float = 30
    # Attempts in a row without a single message in between.
    reconnects: int = 5


def in_messages(count: int) -> str:
    return f"{thin(count)} message{'' if count == 1 else 's'}"


class SameMailbox(ImapError):
    """There is nothing to copy from a mailbox into itself."""


def refuse_same(source: Account, destination: Account) -> None:
    """Raise SameMailbox if both sides are one; letters' case makes no other user."""
    if _place(source) == _place(destination):
        raise SameMailbox("The source and the destination are the same mailbox.")


def _place(account: Account) -> tuple[str, int, str]:
    host = account.host.rstrip(".").casefold()
    return host, account.port, account.user.casefold()


class Stop(Exception):
    """Raise this from a report to end the copy."""


# Called in the thread that called `copy`, at least once a second.
Report = Callable[[Progress], None]


class Engine(Protocol):
    name: str

    def copy(
        self,
        source: Account,
        destination: Account,
        options: CopyOptions,
        report: Report,
    ) -> Outcome: ...
