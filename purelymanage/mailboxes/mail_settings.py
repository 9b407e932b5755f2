"""What a mail program has to know besides the address and its password."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

SMTP_HOST, SMTP_PORT, SMTP_STARTTLS_PORT = "smtp.purelymail.com", 465, 587
POP3_HOST, POP3_PORT = "pop3.purelymail.com", 995
DAV = "https://purelymail.com"
WEBMAIL = "https://inbox.purelymail.com"


@dataclass(frozen=True, slots=True)
class Server:
    """One line of settings; all of it is encrypted from the first byte (TLS)."""

    name: str
    host: str
    port: int

    @property
    def words(self) -> str:
        return f"{self.host}, port {self.port}, TLS"


def imap() -> Server:
    host, port = settings.PURELYMAIL_IMAP_HOST, settings.PURELYMAIL_IMAP_PORT
    return Server("Incoming mail (IMAP)", host, port)


def smtp() -> Server:
    return Server("Outgoing mail (SMTP)", SMTP_HOST, SMTP_PORT)


def as_lines() -> list[tuple[str, str]]:
    """Return names and values, as an administrator passes them on."""
    return [
        ("IMAP (incoming)", imap().words),
        ("SMTP (outgoing)", smtp().words),
        ("POP3 (instead of IMAP)", f"{POP3_HOST}, port {POP3_PORT}, TLS"),
        ("Calendar and contacts", DAV),
        ("In the browser", WEBMAIL),
    ]
