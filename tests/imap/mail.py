"""Mailboxes to copy, the same ones each time."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from tests.imap.dovecot import Stored

FOLDERS = (
    "INBOX",
    "Sent",
    "Drafts",
    "Archive",
    "Archive/2019",
    "Archive/2019/Sommer & Herbst",
    "Projekte/Übergröße",
    'Quotes "and" \\ more',
    "日本語",
    "R&D",
    "Lists/a long name with blanks",
    "Empty",
)
FLAGS = (
    "\\Seen",
    "\\Answered",
    "\\Flagged",
    "\\Draft",
    "\\Deleted",
    "$Forwarded",
    "work",
)


def message(number: int, size: int = 800, *, extra: str = "") -> bytes:
    """Return a message of roughly `size` bytes with an identity of its own."""
    rng = random.Random(number)  # noqa: S311 - not a secret
    head = (
        f"Return-Path: <sender{number}@example.org>\r\n"
        f"Received: from mx{number % 7}.example.org (mx.example.org [192.0.2.1])\r\n"
        f"\tby mail.example.net with ESMTPS id {rng.getrandbits(48):012x}\r\n"
        f"\tfor <otto@example.net>; Mon, 3 Feb 2020 10:{number % 60:02} +0000\r\n"
        f"Message-ID: <{number}.{rng.getrandbits(64):016x}@example.org>\r\n"
        f"Date: Mon, 3 Feb 2020 10:00:00 +0000\r\n"
        f"From: Sender {number} <sender{number}@example.org>\r\n"
        f"To: otto@example.net\r\n"
        f"Subject: Message {number}\r\n"
        f"{extra}"
        f"\r\n"
    ).encode()
    # Eight-bit text, as not everything in a mailbox has been encoded for transport.
    line = bytes(rng.randrange(0x20, 0xFF) for _ in range(74)) + b"\r\n"
    return head + line * max(1, (size - len(head)) // len(line))


def mailbox(count: int, average: int = 2000) -> dict[str, list[Stored]]:
    """Return `count` messages in twelve folders, with flags and dates of ten years."""
    rng = random.Random(count)  # noqa: S311 - not a secret
    found: dict[str, list[Stored]] = {name: [] for name in FOLDERS}
    filled = [name for name in FOLDERS if name != "Empty"]
    start = datetime(2014, 1, 1, tzinfo=UTC)
    for number in range(count):
        date = start + timedelta(seconds=rng.randrange(10 * 365 * 86400))
        flags = frozenset(flag for flag in FLAGS if rng.random() < 0.25)
        size = min(400_000, int(rng.expovariate(1 / average)) + 300)
        found[filled[number % len(filled)]].append(
            Stored(
                message(number, size),
                flags,
                date.strftime("%d-%b-%Y %H:%M:%S +0000"),
            )
        )
    return found
