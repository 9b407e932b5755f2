"""Mail as it lies in mailboxes: mostly text, and attachments that do not compress."""

from __future__ import annotations

import base64
import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from tests.imap.dovecot import Stored

FOLDERS = (
    "INBOX",
    "Sent",
    "Drafts",
    "Archive",
    "Archive/2022",
    "Archive/2023",
    "Customers",
    "Customers/North",
    "Customers/South",
    "Invoices",
    "Newsletters",
    "Family",
)
# More than half of all mail, and of its bytes, lies in the first of them.
SHARE_OF_INBOX = 0.5
FLAGS = ("\\Seen", "\\Answered", "\\Flagged", "work")


def mailbox(count: int, size: int) -> dict[str, list[Stored]]:
    """Return `count` messages of `size` bytes in all, the same ones each time."""
    chance = random.Random(count)  # noqa: S311 - not a secret
    # Mail is like that: many small messages, and a few that hold most of the bytes.
    shares = [math.exp(chance.gauss(0, 1.5)) for _ in range(count)]
    scale = size / sum(shares)
    found: dict[str, list[Stored]] = {name: [] for name in FOLDERS}
    started = datetime(2014, 1, 1, tzinfo=UTC)
    for number, share in enumerate(shares):
        inside = number < count * SHARE_OF_INBOX
        name = FOLDERS[0] if inside else FOLDERS[1 + number % (len(FOLDERS) - 1)]
        date = started + timedelta(seconds=chance.randrange(10 * 365 * 86_400))
        flags = frozenset(flag for flag in FLAGS if chance.random() < 0.3)
        found[name].append(
            Stored(
                message(number, int(share * scale), chance),
                flags,
                date.strftime("%d-%b-%Y %H:%M:%S +0000"),
            )
        )
    return found


def message(number: int, size: int, chance: random.Random) -> bytes:
    head = (
        f"Return-Path: <sender{number}@example.org>\r\n"
        f"Received: from mx{number % 7}.example.org (mx.example.org [192.0.2.1])\r\n"
        f"\tby mail.example.net with ESMTPS id {chance.getrandbits(48):012x}\r\n"
        f"\tfor <otto@example.net>; Mon, 3 Feb 2020 10:{number % 60:02} +0000\r\n"
        f"Received: from client{number} ([198.51.100.7]) by mx{number % 7}.example.org"
        f"\r\n\twith ESMTPSA id {chance.getrandbits(48):012x}; 3 Feb 2020 09:59 +0000"
        f"\r\nMessage-ID: <{number}.{chance.getrandbits(64):016x}@example.org>\r\n"
        f"Date: Mon, 3 Feb 2020 10:00:00 +0000\r\n"
        f"From: Sender {number} <sender{number}@example.org>\r\n"
        f"To: otto@example.net\r\nSubject: Message {number}\r\n\r\n"
    ).encode()
    return head + b"".join(_lines(size - len(head), chance))


def _lines(size: int, chance: random.Random) -> Iterator[bytes]:
    """Give a letter, and an attachment if that is not enough."""
    words = ["quick", "brown", "foxes", "and", "their", "lazy", "friends", "for", "tea"]
    letter = max(1, min(size, 4_000) // 60)
    for _ in range(letter):
        yield " ".join(chance.choices(words, k=11)).encode() + b"\r\n"
    for _ in range((size - letter * 60) // 78):
        yield base64.b64encode(chance.randbytes(57)) + b"\r\n"
