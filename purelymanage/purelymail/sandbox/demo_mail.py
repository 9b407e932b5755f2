"""The mail at the old provider: the same bytes each time it is made."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from email.header import Header
from email.utils import format_datetime
from random import Random

from purelymanage.purelymail.sandbox.mail_store import Mail, NewFolder

HOST = "old-provider.example"
ANNA = f"anna@{HOST}"
# The old provider divides names by dots, as many do, PurelyMail by slashes.
DELIMITER = "."

# Folder, its special use, number of messages.
Layout = list[tuple[str, str, int]]
MAILBOXES: dict[str, Layout] = {
    ANNA: [
        ("INBOX", "", 420),
        ("Gesendete Elemente", "Sent", 310),
        ("Entwürfe", "Drafts", 8),
        ("Gelöschte Elemente", "Trash", 32),
        ("Spam", "Junk", 20),
        ("Archiv", "Archive", 60),
        ("Archiv.2021", "", 150),
        ("Archiv.2022", "", 140),
        # Archiv.2023 itself does not exist.
        ("Archiv.2023.Kunden", "", 90),
        ("Projekte", "", 30),
        ("Projekte.Café & Bar", "", 60),
        ('Projekte.Umbau "Altbau"', "", 50),
        ("Rechnungen", "", 80),
        ("Familie", "", 40),
        ("日本語", "", 10),
        ("Leer", "", 0),
    ],
    f"ben@{HOST}": [
        ("INBOX", "", 120),
        ("Sent", "Sent", 60),
        ("Drafts", "Drafts", 2),
        ("Trash", "Trash", 6),
        ("Lists.Python", "", 12),
    ],
    f"info@{HOST}": [("INBOX", "", 30), ("Sent Messages", "Sent", 10)],
}

FIRST_DAY = datetime(2015, 3, 2, 7, 30, tzinfo=UTC)
DAYS = 3_650
PEOPLE = [
    ("Anna Berg", ANNA),
    ("Ben Okafor", f"ben@{HOST}"),
    ("Chloé Dubois", "chloe@studio.example"),
    ("Jürgen Groß", "juergen.gross@bau.example"),
    ("山田 花子", "hanako@kyoto.example"),
    ("Office Supplies Ltd", "orders@supplies.example"),
    ("Newsletter", "news@letters.example"),
    ("Łukasz Nowak", "lukasz@nowak.example"),
]
SUBJECTS = [
    "Angebot für den Umbau",
    "Re: Termin am Donnerstag",
    "Invoice {number}",
    "Fwd: Fotos vom Wochenende",
    "Protokoll der Besprechung",
    "Your order {number} has been shipped",
    "Übergabe der Schlüssel, Änderung {number}",
    "会議の議事録 {number}",
    "Lunch?",
]
SENTENCES = [
    "Anbei wie besprochen die Unterlagen, bitte bis Freitag prüfen.",
    "The delivery arrived this morning, two boxes are still missing.",
    "Können wir den Termin um eine Stunde verschieben?",
    "Thank you for the quick answer, that helps a lot.",
    "Die Rechnung ist bezahlt, der Beleg hängt an.",
    "Please find the signed contract attached.",
    "Viele Grüße aus Köln und bis nächste Woche.",
    "Let us talk about the budget when everybody is back.",
]
FILES = [
    ("Rechnung.pdf", "application/pdf"),
    ("Foto.jpg", "image/jpeg"),
    ("Plan.dwg", "application/octet-stream"),
    ("table.ods", "application/vnd.oasis.opendocument.spreadsheet"),
]
KEYWORDS = ["$Forwarded", "$Label1", "NonJunk", "Rechnung", "$MDNSent"]


def password_of(user: str) -> str:
    """Return the password of a mailbox at the old provider."""
    return f"old-provider-demo-{user.partition('@')[0]}"


def log_in(user: str, password: str) -> str | None:
    user = user.lower()
    known = user in MAILBOXES and password == password_of(user)
    return user if known else None


def folders_of(user: str) -> Iterable[NewFolder]:
    """Make the folders and messages of one mailbox."""
    for name, use, count in MAILBOXES[user]:
        random = Random(f"{user} {name}")  # noqa: S311  # the same is what is wanted
        days = sorted(random.uniform(0, DAYS) for _ in range(count))
        mails = tuple(
            _mail(random, user, f"{name} {number}", use, number, day)
            for number, day in enumerate(days)
        )
        yield NewFolder(name, use, mails)


def _mail(
    random: Random, user: str, key: str, use: str, number: int, day: float
) -> Mail:
    written = _local(FIRST_DAY + timedelta(days=day))
    stranger = random.choice([it for it in PEOPLE if it[1] != user])
    owner = next((it for it in PEOPLE if it[1] == user), ("", user))
    outgoing = use in {"Sent", "Drafts"}
    sender, receiver = (owner, stranger) if outgoing else (stranger, owner)

    headers = []
    if not outgoing:
        headers += [
            f"Received: from mx{hop}.{sender[1].partition('@')[2]} by mx.{HOST}\r\n"
            f"\twith ESMTPS id {random.getrandbits(48):012x};"
            f" {format_datetime(written)}"
            for hop in range(random.randrange(1, 4))
        ]
    subject = random.choice(SUBJECTS).format(number=random.randrange(1_000, 9_999))
    folded = Header(subject, header_name="Subject").encode(linesep="\r\n")
    headers += [
        f"Date: {format_datetime(written)}",
        f"From: {_person(sender)}",
        f"To: {_person(receiver)}",
        f"Subject: {folded}",
    ]
    if message_id := _message_id(random, key, number):
        headers.append(f"Message-ID: {message_id}")
    headers.append("MIME-Version: 1.0")
    content = _content(random, number)
    raw = "\r\n".join(headers).encode() + b"\r\n" + content
    received = written + timedelta(seconds=random.randrange(1, 90))
    return Mail(raw, received, _flags(random, use, number))


def _message_id(random: Random, key: str, number: int) -> str:
    """Most messages have one of their own, some none, and two share theirs."""
    own = f"{random.getrandbits(96):024x}"
    if number % 125 == 17:
        return ""
    if key in {"INBOX 10", "INBOX 11"}:
        return f"<shared-by-two@{HOST}>"
    return f"<{own}@mail.example>"


def _flags(random: Random, use: str, number: int) -> tuple[str, ...]:
    flags = []
    if use == "Drafts":
        flags.append("\\Draft")
    if use == "Trash" and number % 10 == 4:
        flags.append("\\Deleted")
    for flag, share in (("\\Seen", 0.8), ("\\Answered", 0.15), ("\\Flagged", 0.05)):
        if random.random() < share:
            flags.append(flag)
    if random.random() < 0.2:
        flags.append(random.choice(KEYWORDS))
    return tuple(flags)


def _content(random: Random, number: int) -> bytes:
    """Return the remaining headers, an empty line and the body."""
    text = _text(random)
    kind = number % 20
    if number == 200:
        return b"\r\n"
    if kind == 7:
        # Eight bit without a word about it, and no line end at the end.
        return b"\r\n" + text.encode("latin-1", "replace").rstrip()
    if kind in {3, 9, 14}:
        return _with_attachment(random, text, large=number % 200 == 83)
    if kind in {1, 11}:
        return _alternative(random, text)
    head = "Content-Type: text/plain; charset=utf-8\r\n"
    return f"{head}Content-Transfer-Encoding: 8bit\r\n\r\n{text}".encode()


def _text(random: Random) -> str:
    chosen = [random.choice(SENTENCES) for _ in range(random.randrange(3, 40))]
    lines = textwrap.wrap(" ".join(chosen), 72)
    return "\r\n".join(lines) + "\r\n"


def _alternative(random: Random, text: str) -> bytes:
    boundary = f"alternative-{random.getrandbits(64):016x}"
    paragraphs = "".join(f"<p>{line}</p>\r\n" for line in text.splitlines())
    return (
        f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'
        f"--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}"
        f"\r\n--{boundary}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        f"<html><body>\r\n{paragraphs}</body></html>\r\n--{boundary}--\r\n"
    ).encode()


def _with_attachment(random: Random, text: str, *, large: bool) -> bytes:
    boundary = f"mixed-{random.getrandbits(64):016x}"
    name, kind = random.choice(FILES)
    size = 1_500_000 if large else random.randrange(5_000, 150_000)
    encoded = base64.encodebytes(random.randbytes(size)).replace(b"\n", b"\r\n")
    head = (
        f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'
        f"--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}"
        f'\r\n--{boundary}\r\nContent-Type: {kind}; name="{name}"\r\n'
        f'Content-Disposition: attachment; filename="{name}"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + encoded + f"--{boundary}--\r\n".encode()


def _person(person: tuple[str, str]) -> str:
    name, address = person
    if not name:
        return address
    shown = name if name.isascii() else Header(name, "utf-8").encode()
    return f"{shown} <{address}>"


def _local(moment: datetime) -> datetime:
    summer = 4 <= moment.month <= 10
    moment = moment.replace(microsecond=0)
    return moment.astimezone(timezone(timedelta(hours=2 if summer else 1)))
