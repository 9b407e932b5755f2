"""What a look at a server showed, line by line, each with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.formats import date_format

from purelymanage.figures import in_bytes
from purelymanage.imap.account import Account, Security
from purelymanage.imap.certificates import Certificate, Fault
from purelymanage.imap.errors import ImapError, LoginRefused
from purelymanage.imap.inspection import Inspection, Step

GOOD, ATTENTION, BROKEN, OFF = "good", "attention", "broken", "off"
MOST_NAMES = 6
ENDS_SOON = timedelta(days=14)
# How servers say that they know sign-in by other means than passwords.
OAUTH = {"AUTH=XOAUTH2", "AUTH=OAUTHBEARER"}
OLD_TLS = {"SSLv3", "TLSv1", "TLSv1.1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was tried."""

    subject: str
    tone: str
    words: str
    next_step: str = ""
    # More that was seen, by name.
    facts: tuple[tuple[str, str], ...] = ()
    technical: str = ""


def lines(account: Account, seen: Inspection) -> tuple[Line, ...]:
    """Return a line for each thing that was tried or could not be tried."""
    found = [_reaching(account, seen), _encryption(account, seen)]
    if account.security is not Security.CLEAR:
        found.append(_certificate(account, seen))
    found += [_greeting(seen), _abilities(seen), _login(account, seen)]
    return tuple(found)


def in_words(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _reaching(account: Account, seen: Inspection) -> Line:
    subject = "Reached"
    if not seen.address:
        step = "Check the host name and the port."
        return _fault(subject, seen, step, or_else="The server was not reached.")
    after = in_words(seen.seconds_to_reach)
    at = "" if seen.address == account.host else f" at {seen.address}"
    words = f"Port {account.port} of {account.host} answers{at} after {after}."
    return Line(subject=subject, tone=GOOD, words=words)


def _encryption(account: Account, seen: Inspection) -> Line:
    subject = "Encryption"
    if account.security is Security.CLEAR:
        return Line(
            subject=subject,
            tone=ATTENTION if seen.address else OFF,
            words="None: passwords and mail can be read on the way.",
            next_step="Choose TLS or STARTTLS if the server offers either.",
        )
    if seen.failed_at is Step.ENCRYPT:
        return _fault(subject, seen, _other_protection(account))
    if not seen.tls_version:
        return _not_tried(subject)
    words = seen.tls_version.replace("TLSv", "TLS ")
    if account.security is Security.STARTTLS:
        words += ", begun by STARTTLS"
    if seen.tls_version in OLD_TLS:
        return Line(
            subject=subject,
            tone=ATTENTION,
            words=f"{words}, which is outdated.",
            next_step="Whoever runs the server should allow TLS 1.2 or later.",
        )
    return Line(subject=subject, tone=GOOD, words=f"{words}.")


def _other_protection(account: Account) -> str:
    if account.security is Security.STARTTLS:
        return "Try TLS, which mostly is at port 993."
    if account.port == 143:
        return "Port 143 mostly begins in clear text: try STARTTLS, or TLS at port 993."
    return "Check the port: TLS mostly is at 993, STARTTLS at 143."


def _certificate(account: Account, seen: Inspection) -> Line:
    subject = "Certificate"
    certificate = seen.certificate
    facts = _facts(certificate) if certificate else ()
    technical = seen.problem.technical if seen.problem else ""
    if seen.failed_at is Step.TRUST:
        if certificate is None:
            step = "Ask whoever runs the server, with the technical detail."
            return _fault(subject, seen, step)
        words, step = _distrust(account.host, certificate)
        return Line(
            subject=subject,
            tone=BROKEN,
            words=words,
            next_step=step,
            facts=facts,
            technical=technical,
        )
    if certificate is None:
        return _not_tried(subject)
    if not account.verify_certificate:
        return Line(
            subject=subject,
            tone=ATTENTION,
            words="Not checked, as the settings say: it could be anybody's.",
            next_step="Switch the check on unless you know why it cannot be.",
            facts=facts,
        )
    if certificate.valid_until - timezone.now() < ENDS_SOON:
        return Line(
            subject=subject,
            tone=ATTENTION,
            words=f"Trusted, but only until {_day(certificate)}.",
            next_step="Copies fail from then on. Ask whoever runs it to renew it.",
            facts=facts,
        )
    return Line(subject=subject, tone=GOOD, words="Trusted.", facts=facts)


def _distrust(host: str, certificate: Certificate) -> tuple[str, str]:
    renew = "Ask whoever runs the server to renew it."
    exception = (
        "Only if you know this server, switch the check off in its settings: then "
        "nobody notices if somebody else poses as it."
    )
    match certificate.fault(host):
        case Fault.EXPIRED:
            return f"It ended on {_day(certificate)}.", renew
        case Fault.NOT_YET_VALID:
            begins = _date(certificate, begins=True)
            return (
                f"It is valid from {begins} only.",
                "Check the clock of this machine.",
            )
        case Fault.OTHER_NAME:
            names = [it for it in certificate.names if "*" not in it]
            words = f"It was not made for {host}."
            if names:
                step = f"Use the host name it was made for, such as {names[0]}."
                return words, step
            return words, exception
        case Fault.SELF_SIGNED:
            return (
                "The server issued it by itself, so nobody vouches for it.",
                exception,
            )
    words = f"It was issued by {certificate.issuer}, which this machine does not trust."
    return words, exception


def _facts(certificate: Certificate) -> tuple[tuple[str, str], ...]:
    names = ", ".join(certificate.names[:MOST_NAMES])
    if more := len(certificate.names) - MOST_NAMES:
        names += f" and {more} more" if more > 0 else ""
    return (
        ("Made for", names or certificate.subject),
        ("Issued to", certificate.subject),
        ("Issued by", certificate.issuer),
        ("Valid until", _day(certificate)),
    )


def _day(certificate: Certificate) -> str:
    return _date(certificate, begins=False)


def _date(certificate: Certificate, *, begins: bool) -> str:
    when = certificate.valid_from if begins else certificate.valid_until
    return date_format(timezone.localtime(when), "j F Y")


def _greeting(seen: Inspection) -> Line:
    subject = "Greeting"
    if seen.failed_at is Step.GREET:
        return _fault(subject, seen, "Check the port: is it one for IMAP?")
    if seen.greeting is None:
        return _not_tried(subject)
    words = f"“{seen.greeting[:200]}”" if seen.greeting else "Without words."
    return Line(subject=subject, tone=GOOD, words=words)


def _abilities(seen: Inspection) -> Line:
    subject = "Abilities"
    if seen.failed_at is Step.ASK:
        return _fault(subject, seen, "Try again in a minute.")
    known = seen.capabilities
    if not known:
        return _not_tried(subject)
    technical = " ".join(sorted(known))
    if not known & {"IMAP4REV1", "IMAP4REV2"}:
        return Line(
            subject=subject,
            tone=BROKEN,
            words="It does not say that it speaks IMAP as of today.",
            next_step="Ask whoever runs the server whether this is its IMAP port.",
            technical=technical,
        )
    said = [words for names, words in MATTERS if known & names]
    limit = next((it for it in known if it.startswith("APPENDLIMIT=")), "")
    if limit and (size := limit.partition("=")[2]).isdigit():
        said.append(f"takes messages of up to {in_bytes(int(size))}")
    if not seen.is_logged_in:
        said.append("may tell more after a login")
    words = f"It {'; '.join(said)}." if said else "Nothing out of the ordinary."
    tone, step = GOOD, ""
    if not seen.is_logged_in and not _takes_passwords(known):
        tone, step = ATTENTION, _without_passwords(known)
    return Line(
        subject=subject, tone=tone, words=words, next_step=step, technical=technical
    )


# What makes a difference to a copy; the rest is of no interest to people.
MATTERS: list[tuple[set[str], str]] = [
    ({"X-GM-EXT-1"}, "is Gmail, where labels appear as folders"),
    ({"SPECIAL-USE", "XLIST"}, "says which folders are Sent, Drafts and Trash"),
    ({"LITERAL+", "LITERAL-"}, "takes mail without a pause for each message"),
    ({"UIDPLUS"}, "confirms each message it was given"),
    ({"QUOTA"}, "tells how full a mailbox is"),
]


def _takes_passwords(known: frozenset[str]) -> bool:
    return "AUTH=PLAIN" in known or "LOGINDISABLED" not in known


def _without_passwords(known: frozenset[str]) -> str:
    if known & OAUTH:
        return (
            "It wants sign-in by OAuth, which the panel cannot do. Ask the provider "
            "for app passwords."
        )
    return "It takes no password over this connection: choose TLS or STARTTLS."


def _login(account: Account, seen: Inspection) -> Line:
    subject = "Login"
    if seen.is_logged_in:
        return Line(subject=subject, tone=GOOD, words=f"{account.user} is let in.")
    if not account.user:
        return Line(
            subject=subject,
            tone=OFF,
            words="Not tried.",
            next_step="Name somebody to see whether the server lets them in.",
        )
    if seen.failed_at is Step.LOG_IN and seen.problem is not None:
        return _fault(subject, seen, login_step(seen.problem))
    if seen.failed_at is Step.TRUST:
        return Line(
            subject=subject,
            tone=OFF,
            words="Not tried: nobody knows whose hands the password would end in.",
        )
    return _not_tried(subject)


def login_step(problem: ImapError) -> str:
    if isinstance(problem, LoginRefused):
        return (
            "Check the user name and the password. Many providers want an app "
            "password here, or IMAP to be switched on first."
        )
    return "Try again in a minute."


def _fault(subject: str, seen: Inspection, step: str, *, or_else: str = "") -> Line:
    problem = seen.problem
    return Line(
        subject=subject,
        tone=BROKEN,
        words=problem.message if problem else or_else,
        next_step=step,
        technical=problem.technical if problem else "",
    )


def _not_tried(subject: str) -> Line:
    return Line(subject=subject, tone=OFF, words="Not tried, as it did not get so far.")
