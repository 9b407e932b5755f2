"""How much memory our engine takes where there is very much to copy."""

from __future__ import annotations

import random
from pathlib import Path

from tests.benchmarks.copying import mail
from tests.benchmarks.copying.programs import Pipeline, Place
from tests.imap.dovecot import Dovecot, Stored

LARGE = 50 * 1024 * 1024


def measure(old: Dovecot, new: Dovecot, folder: Path, *, many: int) -> dict[str, int]:
    """Return the highest memory of the whole process in bytes, by what was copied."""
    old.add_user("much", "secret of much")
    write_many(old, "much", many)
    old.add_user("large", "secret of large")
    old.seed("large", {"INBOX": [large(number) for number in range(4)]})
    found = {}
    for user, what in (
        ("much", f"{many:,} messages in one folder"),
        ("large", "messages of 50 MB"),
    ):
        new.add_user(user, f"secret of {user}")
        source = Place(old.port, user, old.users[user])
        destination = Place(new.port, user, new.users[user])
        first = Pipeline().copy(source, destination, folder)
        second = Pipeline().copy(source, destination, folder)
        for cost in (first, second):
            if cost.code:
                raise SystemExit(f"The copy of {what} failed: {cost.words[-2_000:]}")
        found[what] = first.memory
        found[f"{what}, all there already"] = second.memory
    return found


def write_many(server: Dovecot, user: str, many: int) -> None:
    """Put small messages into an inbox as files, since so many take long by IMAP."""
    chance = random.Random(many)  # noqa: S311 - not a secret
    inbox = server.maildir(user)
    for place in ("cur", "new", "tmp"):
        (inbox / place).mkdir(parents=True)
    for number in range(many):
        body = mail.message(number, 900, chance)
        (inbox / "cur" / f"{1_500_000_000 + number}.M1P1.host:2,S").write_bytes(body)
    server.own(user)


def large(number: int) -> Stored:
    head = b"Message-ID: <large%d@example.org>\r\nSubject: large\r\n\r\n" % number
    line = b"%08d" % number * 9 + b"\r\n"
    return Stored(head + line * (LARGE // len(line)))
