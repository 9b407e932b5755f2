"""Whom the panel talks to: whether they answer, and whether they may be trusted."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend

from purelymanage.dashboard import checked
from purelymanage.dashboard.doctor.results import (
    Check,
    Result,
    attention,
    broken,
    good,
)
from purelymanage.domains.dns import servers
from purelymanage.imap import certificates
from purelymanage.imap.account import Security
from purelymanage.imap.errors import ImapError
from purelymanage.imap.opening import tls_context

TIMEOUT = 5.0
RENEWED_BEFORE = timedelta(days=14)


def checks() -> list[Check]:
    return [
        Check("PurelyMail", _purelymail, seconds=12),
        Check("mail server", _mail_server, seconds=12),
        Check("DNS", _dns, seconds=12),
        Check("destination of copies", _imap, seconds=12),
        Check("certificate", _certificate, seconds=12),
    ]


def _purelymail() -> Iterator[Result]:
    yield checked.purelymail()[0]


def _mail_server() -> Iterator[Result]:
    subject = "mail server"
    if "smtp" not in settings.EMAIL_BACKEND:
        yield good(subject, "There is none to ask.")
        return
    server: BaseEmailBackend = get_connection(timeout=TIMEOUT)
    try:
        server.open()
        server.close()
    except smtplib.SMTPAuthenticationError as exc:
        yield checked.shut_out(str(exc.smtp_code))
    except (OSError, smtplib.SMTPException) as exc:
        yield checked.unanswered(_kind(exc))
    else:
        yield good(subject, f"{settings.EMAIL_HOST} answers and lets the panel in.")


def _dns() -> Iterator[Result]:
    import dns.exception
    import dns.message
    import dns.query
    import dns.rcode

    subject, answering = "DNS", 0
    try:
        known = servers.resolvers()
    except servers.NoResolver as exc:
        yield broken(subject, str(exc), "Correct DNS_RESOLVERS.")
        return
    question = dns.message.make_query("purelymail.com", "MX")
    for server in known:
        try:
            answer, _ = dns.query.udp_with_fallback(
                question, server.host, timeout=3, port=server.port
            )
        except (OSError, dns.exception.DNSException) as exc:
            yield attention(
                subject,
                f"The resolver {server} does not answer ({_kind(exc)}).",
                "Name another one in DNS_RESOLVERS, or correct /etc/resolv.conf.",
            )
            continue
        if answer.rcode() in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
            answering += 1
        else:
            yield attention(
                subject,
                f"The resolver {server} answers {dns.rcode.to_text(answer.rcode())}.",
                "Name another one in DNS_RESOLVERS, or see why it does not work.",
            )
    if answering:
        yield good(subject, f"{answering} of {len(known)} resolvers answer.")
    else:
        yield broken(
            subject,
            "No resolver answers, so that the health of domains is unknown.",
            "Name one in DNS_RESOLVERS, such as 9.9.9.9.",
        )


def _imap() -> Iterator[Result]:
    subject = "destination of copies"
    host, port = settings.PURELYMAIL_IMAP_HOST, settings.PURELYMAIL_IMAP_PORT
    fix = "See PURELYMAIL_IMAP_HOST and PURELYMAIL_IMAP_PORT, and IMAP_CA_FILE."
    try:
        context = tls_context(Security.TLS, verify=True, ca_file=settings.IMAP_CA_FILE)
        assert context is not None
        _connect(host, port, context)
    except ImapError as exc:
        yield broken(subject, exc.message, fix)
    except ssl.SSLCertVerificationError as exc:
        yield broken(
            subject,
            f"The certificate of {host} is not trusted: {exc.verify_message}.",
            fix,
        )
    except OSError as exc:
        yield broken(subject, f"{host}:{port} does not answer ({_kind(exc)}).", fix)
    else:
        yield good(subject, f"{host}:{port} answers with a certificate to be trusted.")


def _certificate() -> Iterator[Result]:
    subject, url = "certificate", urlsplit(settings.BASE_URL)
    if url.scheme != "https":
        yield good(subject, "Without https there is none.")
        return
    host, port = url.hostname or "", url.port or 443
    fix = (
        "See why the certificate is not renewed (sudo certbot renew), and whether the "
        "web server has read it since (sudo systemctl reload nginx)."
    )
    try:
        der = _connect(host, port, ssl.create_default_context())
    except ssl.SSLCertVerificationError as exc:
        yield broken(
            subject,
            f"Browsers do not trust the certificate of {host}: {exc.verify_message}.",
            fix,
        )
        return
    except OSError as exc:
        yield broken(
            subject,
            f"{host}:{port} does not answer from here ({_kind(exc)}).",
            "See whether the web server runs and the name leads to this machine.",
        )
        return
    found = certificates.read(der)
    if found is None:
        yield broken(subject, f"The certificate of {host} cannot be read.", fix)
        return
    left = found.valid_until - datetime.now(UTC)
    until = f"{found.valid_until:%d %B %Y}"
    if left < RENEWED_BEFORE:
        yield attention(
            subject,
            f"It ends {_days(left)}, on {until}.",
            fix,
        )
    else:
        yield good(subject, f"It is good until {until}.")


def _days(left: timedelta) -> str:
    if left.days > 1:
        return f"in {left.days} days"
    return "tomorrow" if left.days else "within a day"


def _connect(host: str, port: int, context: ssl.SSLContext) -> bytes | None:
    """Return the certificate of a server, verified."""
    with (
        socket.create_connection((host, port), timeout=TIMEOUT) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        return secure.getpeercert(binary_form=True)


def _kind(exc: Exception) -> str:
    """Name an error in words, without anything that a server has said."""
    if isinstance(exc, TimeoutError) or type(exc).__name__ == "Timeout":  # of DNS
        return "no answer in time"
    if isinstance(exc, smtplib.SMTPServerDisconnected):
        return "it hung up"
    if isinstance(exc, smtplib.SMTPResponseException):
        return f"it said {exc.smtp_code}"
    if isinstance(exc, smtplib.SMTPNotSupportedError):
        return "it offers no such encryption or sign-in"
    if isinstance(exc, OSError) and exc.strerror:
        return exc.strerror
    return type(exc).__name__
