"""Trying a server or a login while somebody waits for the answer."""

from __future__ import annotations

from dataclasses import dataclass

from purelymanage.imap.account import Account
from purelymanage.imap.errors import (
    CertificateRefused,
    ImapError,
    LoginRefused,
    Unreachable,
)
from purelymanage.imap.login import LoginCheck, check_login, check_server

# Seconds a person waits in front of a page for what they asked for, and for what is
# looked at only in passing.
PATIENCE = 10.0
SHORT_PATIENCE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How it went, in a sentence, and what to do about it."""

    passed: bool
    sentence: str
    # The same without the name of whoever was let in, as that is not stored.
    about_server: str
    # Whether the server answers and only the login was refused.
    login_refused: bool = False
    advice: str = ""
    technical: str = ""

    @property
    def words(self) -> str:
        return f"{self.sentence} {self.advice}".strip()


def try_account(account: Account, *, patience: float = PATIENCE) -> Trial:
    """See whether the server answers, and if a user is named, whether it lets them in."""
    try:
        if account.user:
            found = check_login(account, timeout=patience)
        else:
            found = check_server(
                account.host,
                account.port,
                account.security,
                verify_certificate=account.verify_certificate,
                ca_file=account.ca_file,
                timeout=patience,
            )
    except ImapError as exc:
        return Trial(
            passed=False,
            sentence=exc.message,
            about_server=exc.message,
            login_refused=isinstance(exc, LoginRefused),
            advice=advice(exc),
            technical=exc.technical,
        )

    return passed(account, found)


def passed(account: Account, found: LoginCheck) -> Trial:
    """Say how a server answered that did what it was asked for."""
    if found.tls_version is None:
        protection = "in clear text"
    elif account.verify_certificate:
        protection = f"with a trusted certificate ({found.tls_version})"
    else:
        protection = f"encrypted, certificate not checked ({found.tls_version})"
    words = f"{account.host} answers {protection} after {_in_words(found.seconds)}"
    greeting = f" and lets {account.user} in" if account.user else ""
    return Trial(
        passed=True,
        sentence=f"{words}{greeting}.",
        about_server=f"{words}.",
        technical=found.greeting,
    )


def _in_words(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def advice(problem: ImapError) -> str:
    """What the person can do about it."""
    match problem:
        case LoginRefused():
            return (
                "Check the user name and the password. Many providers want an app "
                "password here, or IMAP to be switched on first."
            )
        case CertificateRefused():
            return (
                "Use the host name that the certificate was made for. Only if you know "
                "this server, switch the check off in its settings."
            )
        case Unreachable():
            return "Check the host name, the port and the kind of protection."
    if problem.retry:
        return "Try again in a minute."
    return "Ask whoever runs the server, with the technical detail below."
