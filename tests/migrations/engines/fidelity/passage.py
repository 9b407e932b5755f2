"""One mailbox full of cases, copied once from one server to another."""

from __future__ import annotations

import imaplib
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Protocol, Self

from purelymanage.imap import names
from purelymanage.imap.account import Account, Security
from purelymanage.migrations.engines.base import Outcome
from tests.imap import mailbox
from tests.imap.dovecot import Dovecot, Stored
from tests.migrations.engines.copying import copy
from tests.migrations.engines.fidelity.cases import FOLDERS, MESSAGES, mail

_NUMBERS = itertools.count(1)
ONE = Stored(b"From: a@example.org\r\nMessage-ID: <one@example.org>\r\n\r\none\r\n")


class Server(Protocol):
    prefix: str
    separator: str

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def add_user(self, user: str, password: str) -> None: ...

    def account(self, user: str) -> Account: ...


class Box:
    """A mailbox as a client sees it that is none of our own code."""

    def __init__(self, server: Server) -> None:
        self.server = server
        user = f"user{next(_NUMBERS)}"
        server.add_user(user, f"secret of {user}")
        if isinstance(server, Dovecot):
            self.account = server.account(user, security=Security.CLEAR)
        else:
            self.account = server.account(user)
        self.client = mailbox.log_in(self.account)
        # Some servers make the inbox when somebody looks into it.
        self.client.select("INBOX")

    def wire(self, path: tuple[str, ...]) -> str:
        """Return a name as this server would have it on the wire."""
        levels = [names.encode(level).decode("ascii") for level in path]
        inner = self.server.separator.join(levels)
        if path[0] == "INBOX" and (len(path) == 1 or self.server.prefix):
            return inner
        return self.server.prefix + inner

    def create(self, path: tuple[str, ...]) -> bool:
        """Make a folder, and tell whether it got the name that it should have."""
        if any(self.server.separator in level for level in path):
            return False
        wire = self.wire(path)
        self._careful(lambda client: mailbox.create(client, wire))
        return wire in mailbox.folders(self.client)

    def subscribe(self, path: tuple[str, ...]) -> None:
        self.client.subscribe(mailbox.quoted(self.wire(path)))

    def put(self, path: tuple[str, ...], messages: Iterable[Stored]) -> list[bool]:
        """Store messages, and tell which ones the server took."""
        wire = self.wire(path)
        taken = [
            self._careful(lambda client, it=it: mailbox.put(client, wire, it))
            for it in messages
        ]
        # GNU imap4d keeps the numbers of messages from its first look that may write.
        self.client.select(mailbox.quoted(wire))
        self.client.select("INBOX")
        return taken

    def contents(self, path: tuple[str, ...]) -> list[Stored]:
        return mailbox.contents(self.client, self.wire(path))

    def folders(self, *, subscribed: bool = False) -> dict[str, set[str]]:
        return mailbox.folders(self.client, subscribed=subscribed)

    def permanent_flags(self, path: tuple[str, ...]) -> set[str]:
        self.client.select(mailbox.quoted(self.wire(path)))
        answer = self.client.response("PERMANENTFLAGS")[1]
        text = answer[0] if answer and isinstance(answer[0], bytes) else b""
        return {word.lower() for word in text.decode().strip("() ").split()}

    def mark(self, path: tuple[str, ...], number: int, flags: str) -> None:
        """Set flags of the message with this number, as its owner would."""
        self.client.select(mailbox.quoted(self.wire(path)))
        state, _ = self.client.store(str(number), "+FLAGS", f"({flags})")
        assert state == "OK"
        self.client.select("INBOX")

    def nearest(self, path: tuple[str, ...], source: Box) -> tuple[str, ...]:
        """Return the name that a folder should have here."""
        if path[0] == "INBOX" and (source.server.prefix or self.has_lone_inbox):
            path = path[1:]
        level_ends = {"/", self.server.separator}
        legal = tuple(
            "".join("_" if letter in level_ends else letter for letter in level)
            for level in path
        )
        if self.wire(legal) in self.folders():
            return legal
        return tuple(re.sub(r"[^\w .-]", "_", level) for level in legal)

    @property
    def has_lone_inbox(self) -> bool:
        return "\\noinferiors" in self.folders()["INBOX"]

    def _careful(self, do: object) -> bool:
        """Say it in a way that survives a server which dies of it."""
        try:
            return bool(do(self.client))  # type: ignore[operator]
        except imaplib.IMAP4.error as exc:
            # A refusal, or the end of the connection, which is one of them.
            if not isinstance(exc, imaplib.IMAP4.abort):
                return False
            self.client = mailbox.log_in(self.account)
            return False


@dataclass
class Passage:
    source: Box
    destination: Box
    # Cases that take one of the servers minutes.
    skipped: tuple[str, ...] = ()
    before: dict[str, list[Stored]] = field(default_factory=dict)
    # What the destination makes of the same messages when they are simply put there.
    expected: dict[str, list[Stored]] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    control: Box = field(init=False)
    outcome: Outcome = field(init=False)
    again: Outcome = field(init=False)
    later: Outcome = field(init=False)

    def run(self) -> Self:
        self._fill()
        self._expect()
        self.outcome = self.copy()
        self.again = self.copy()
        self.source.mark(("Marks",), 1, "\\Answered \\Seen")
        self.source.mark(("Marks",), 3, "\\Seen")
        self.destination.mark(("Marks",), 2, "\\Flagged")
        self.destination.mark(("Marks",), 3, "\\Flagged")
        self.later = self.copy()
        return self

    @property
    def can_hide(self) -> bool:
        """Say whether a folder can be left unsubscribed on both sides."""
        there = self.source.folders(subscribed=True)
        here = self.control.folders(subscribed=True)
        hidden = self.source.wire(("Hidden",)), self.control.wire(("control",))
        return hidden[0] not in there and hidden[1] not in here

    def paths(self) -> list[tuple[str, ...]]:
        """Return the names of all folders that were made at the source."""
        named = [FOLDERS.get(name, (name,)) for name in self.before]
        return [*named, ("Wanted",), ("Hidden",), ("Marks",)]

    def shown(self, path: tuple[str, ...]) -> str:
        """Return a name at the source as people write it."""
        return names.decode(self.source.wire(path).encode("ascii"))

    def copy(self) -> Outcome:
        return copy(self.source.account, self.destination.account)

    def _fill(self) -> None:
        for name, messages in MESSAGES.items():
            if name not in self.skipped and self.source.create((name,)):
                self.source.put((name,), messages)
                self.before[name] = self.source.contents((name,))
        for name, path in FOLDERS.items():
            if self.source.create(path):
                self.source.put(path, [ONE])
                self.before[name] = self.source.contents(path)
        self.source.create(("Wanted",))
        self.source.subscribe(("Wanted",))
        self.source.create(("Hidden",))
        self.source.create(("Gesendete Objekte",))
        self.source.put(("Gesendete Objekte",), [ONE])
        self.destination.create(("Sent",))
        self.source.create(("Marks",))
        self.source.put(("Marks",), [Stored(mail(f"{n}", b"x\r\n")) for n in range(4)])

    def _expect(self) -> None:
        control = self.control = Box(self.destination.server)
        control.create(("control",))
        permanent = control.permanent_flags(("control",))
        for number, (name, messages) in enumerate(self.before.items()):
            path = (f"control{number}",)
            control.create(path)
            given: list[frozenset[str]] = []
            for it in messages:
                flags = it.flags
                if "\\*" not in permanent:
                    flags = frozenset(f for f in flags if f.lower() in permanent)
                if not all(control.put(path, [replace(it, flags=flags)])):
                    self.refused[name] = self.refused.get(name, 0) + 1
                else:
                    given.append(flags)
            found = control.contents(path)
            for number, (it, flags) in enumerate(zip(found, given, strict=False), 1):
                # GNU imap4d forgets marks that come with a message, so they follow.
                late = flags - {"\\Deleted"}
                if late and not it.flags:
                    control.mark(path, number, " ".join(late))
            self.expected[name] = control.contents(path)
