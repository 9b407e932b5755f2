"""Filling and reading mailboxes with a client that is none of our own code."""

from __future__ import annotations

import imaplib
import re
import socket
from collections.abc import Iterable

from purelymanage.imap.account import Account
from tests.imap.dovecot import Stored

_LISTED = re.compile(rb'\(([^)]*)\) (?:"(.)"|NIL) (?:\{\d+\})?(.*)', re.DOTALL)


class Client(imaplib.IMAP4):
    """Confirms what it receives at once: some servers wait for that, 40 ms each time."""

    def send(self, data: bytes) -> None:  # type: ignore[override]  # wider than ours
        super().send(data)
        # It is forgotten again and again.
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def log_in(account: Account) -> imaplib.IMAP4:
    # Lines of a header fetch may be longer than imaplib likes.
    imaplib._MAXLINE = 10_000_000  # type: ignore[attr-defined]
    client = Client(account.host, account.port)
    # It sends messages in several pieces, and would wait 40 ms after the first.
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.login(account.user, account.password)
    return client


def quoted(wire: str) -> str:
    return '"' + wire.replace("\\", "\\\\").replace('"', '\\"') + '"'


def create(client: imaplib.IMAP4, wire: str) -> bool:
    state, _ = client.create(quoted(wire))
    return state == "OK"


def put(client: imaplib.IMAP4, wire: str, message: Stored) -> bool:
    """Store one message as it is, and tell whether the server took it."""
    flags = " ".join(sorted(message.flags))
    # Its own `append` would mend the ends of lines.
    client.literal = message.body  # type: ignore[assignment]
    state, _ = client.xatom("APPEND", quoted(wire), f"({flags})", f'"{message.date}"')
    return bool(state == "OK")


def put_all(client: imaplib.IMAP4, wire: str, messages: Iterable[Stored]) -> list[bool]:
    return [put(client, wire, message) for message in messages]


def contents(client: imaplib.IMAP4, wire: str) -> list[Stored]:
    """Return all messages of a folder, in its order."""
    state, answer = client.select(quoted(wire), readonly=True)
    assert state == "OK", (wire, answer)
    if answer == [b"0"]:
        return []
    _, lines = client.uid("FETCH", "1:*", "(FLAGS INTERNALDATE BODY.PEEK[])")
    found = []
    for line, after in zip(lines, [*lines[1:], b""], strict=True):
        if isinstance(line, tuple):
            head, body = line
            # Servers may write the flags after the body.
            text = head + (after if isinstance(after, bytes) else b"")
            flags = re.search(rb"FLAGS \(([^)]*)\)", text)
            date = re.search(rb'INTERNALDATE "([^"]*)"', text)
            assert flags is not None
            assert date is not None
            shown = frozenset(flags[1].decode().split()) - {"\\Recent"}
            found.append(Stored(body, shown, date[1].decode()))
        elif b'BODY[] ""' in line or b"BODY[] NIL" in line:
            found.append(Stored(b""))
    return found


def folders(client: imaplib.IMAP4, *, subscribed: bool = False) -> dict[str, set[str]]:
    """Return the names on the wire, and the attributes of each in small letters."""
    lines = client.lsub()[1] if subscribed else client.list()[1]
    found = {}
    for line in lines:
        if not line:
            continue
        listed = line if isinstance(line, bytes) else b"".join(line)
        parsed = _LISTED.fullmatch(listed)
        assert parsed is not None, listed
        wire = parsed[3]
        if wire.startswith(b'"'):
            wire = re.sub(rb"\\(.)", rb"\1", wire[1:-1])
        found[wire.decode("ascii")] = set(parsed[1].decode().lower().split())
    return found
