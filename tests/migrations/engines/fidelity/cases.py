"""What a copy has to carry over, case by case."""

from __future__ import annotations

from tests.imap.dovecot import Stored
from tests.imap.mail import message

# From here on a message goes through in pieces; where nothing is set, it is 8 MB.
LARGE = 256 * 1024


def mail(name: str, body: bytes, *, head: str = "") -> bytes:
    return (
        f"From: sender@example.org\r\nMessage-ID: <{name}@example.org>\r\n{head}\r\n"
    ).encode() + body


def large(size: int) -> bytes:
    line = b"%08d" % size * 9 + b"\r\n"
    return mail("large", line * (size // len(line)))


# Each lies in a folder of its own, which has the name of the case.
MESSAGES: dict[str, list[Stored]] = {
    "eight-bit text": [
        Stored(
            mail(
                "eight",
                bytes(range(1, 256)).replace(b"\r", b"").replace(b"\n", b"") + b"\r\n",
            )
        ),
        Stored(mail("latin", "Grüße aus Köln\r\n".encode("latin-1"))),
        Stored(
            mail("utf8", "Grüße 日本語 😀\r\n".encode(), head="Subject: Grüße 😀\r\n")
        ),
    ],
    "NUL bytes": [
        Stored(mail("nul", b"one \0 two\r\n")),
        Stored(mail("after nul", b"this one is plain\r\n")),
    ],
    "bare CR": [Stored(mail("bare cr", b"one\rtwo\r\nthree\r\r\n"))],
    "bare LF": [Stored(mail("bare lf", b"one\ntwo\n\nthree\n"))],
    "no end of line at the end": [Stored(mail("no end", b"the end"))],
    "very long lines": [
        Stored(mail("long", b"x" * 100_000 + b"\r\n" + b"y" * 998 + b"\r\n")),
        Stored(mail("long head", b"text\r\n", head=f"X-Long: {'z' * 20_000}\r\n")),
    ],
    "an empty message": [Stored(b""), Stored(mail("after empty", b"plain\r\n"))],
    "an empty body": [Stored(mail("no body", b""))],
    "no header": [Stored(b"\r\nno header at all\r\n")],
    "a header that is none": [Stored(b"this is not a header\r\n\r\nbody\r\n")],
    "broken MIME": [
        Stored(
            mail(
                "mime",
                b"--b\r\nContent-Type: text/html; charset=\r\n\r\n<b>\r\n--c--\r\n",
                head='Content-Type: multipart/mixed; boundary="b"\r\n',
            )
        ),
        Stored(mail("mime2", b"=ZZ=\r\n", head="Content-Transfer-Encoding: q p\r\n")),
        Stored(mail("mime3", b"--\r\n", head="Content-Type: multipart/mixed\r\n")),
    ],
    "a large message": [Stored(large(4 * LARGE))],
    "what looks like IMAP": [
        Stored(mail("imap", b")\r\nP1 OK done\r\n* BYE\r\n{5}\r\n{5+}\r\n")),
    ],
    "what looks like an mbox": [Stored(mail("from", b"From me\r\n>From you\r\n.\r\n"))],
    "dates with a zone": [
        Stored(mail(f"date{number}", b"text\r\n"), date=date)
        for number, date in enumerate(
            (
                "17-Jul-1996 02:44:25 -0700",
                "29-Feb-2024 23:59:59 +1345",
                "31-Dec-1999 23:30:00 -0330",
                " 1-Jan-2001 00:00:00 +0000",
            )
        )
    ],
    "system flags": [
        Stored(mail(f"flag{flag}", b"text\r\n"), frozenset({flag}))
        for flag in ("\\Seen", "\\Answered", "\\Flagged", "\\Draft", "\\Deleted")
    ]
    + [
        Stored(mail("no flags", b"text\r\n")),
        Stored(
            mail("all flags", b"text\r\n"),
            frozenset({"\\Seen", "\\Answered", "\\Flagged", "\\Draft"}),
        ),
    ],
    "keywords": [
        Stored(mail("key", b"text\r\n"), frozenset({"$Forwarded", "work", "\\Seen"})),
        Stored(mail("nokey", b"text\r\n"), frozenset({"$Junk", "NonJunk"})),
    ],
    "one identity, two messages": [
        Stored(mail("same", b"first\r\n")),
        Stored(mail("same", b"second\r\n")),
        Stored(mail("same", b"third, which is longer\r\n")),
    ],
    "the same message twice": [Stored(message(7)), Stored(message(7))],
    "no Message-ID": [
        Stored(b"From: a@example.org\r\nSubject: nightly\r\n\r\nok\r\n"),
        Stored(b"From: a@example.org\r\nSubject: nightly\r\n\r\nbad\r\n"),
        Stored(b"From: a@example.org\r\nSubject: nightly\r\n\r\nbad\r\n"),
        Stored(b"From: a@example.org\r\n\r\n"),
    ],
    "one Received line more": [
        Stored(mail("hop", b"text\r\n", head="Received: from a by b\r\n")),
        Stored(
            mail(
                "hop",
                b"text\r\n",
                head="Received: from b by c\r\nReceived: from a by b\r\n",
            )
        ),
    ],
}

# Folders by the levels of their names; each holds one message.
FOLDERS: dict[str, tuple[str, ...]] = {
    "three levels": ("Projects", "2019", "Deep"),
    "blanks and quotes": ('Quotes "and" \\ more',),
    "an ampersand": ("R&D",),
    "names in UTF-7": ("Übergröße", "日本語 😀"),
    "a dot": ("v1.2",),
    "a slash": ("either/or",),
    "small letters": ("case",),
    "capital letters": ("CASE",),
    "brackets": ("[Lists]", "a (b) {c}"),
    "percent and star": ("50% *off*",),
    "a level that holds nothing": ("Only a level", "Child"),
    "below the inbox": ("INBOX", "Below"),
}
