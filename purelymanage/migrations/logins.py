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
from purelymanage.imap.inspection import inspect
from purelymanage.imap.login import LoginCheck
from purelymanage.migrations.trial_lines import Line, in_words, lines, login_step

# Seconds a person waits in front of a page for what they asked for, and for what is
# looked at only in passing.
PATIENCE = 10.0
SHORT_PATIENCE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How it went, in a sentence, and what to do about it."""

    passed: bool
    sentence: str
    # The same of the server alone: who tried to get in is not stored.
    about_server: str
    # Whether the server answers and only the login was refused.
    login_refused: bool = False
    advice: str = ""
    technical: str = ""
    # The same step by step, where a server was looked at.
    lines: tuple[Line, ...] = ()

    @property
    def server_answers(self) -> bool:
        """Whether the server is as it should be, whoever it let in or did not."""
        return self.passed or self.login_refused

    @property
    def words(self) -> str:
        return f"{self.sentence} {self.advice}".strip()


def try_account(account: Account, *, patience: float = PATIENCE) -> Trial:
    """See whether the server answers, and if a user is named, whether it lets them in."""
    seen = inspect(account, timeout=patience)
    told = lines(account, seen)
    if seen.problem is not None:
        login_refused = isinstance(seen.problem, LoginRefused)
        about = _answers(account, seen.tls_version or None, seen.seconds)
        return Trial(
            passed=False,
            sentence=seen.problem.message,
            about_server=f"{about}." if login_refused else seen.problem.message,
            login_refused=login_refused,
            advice=advice(seen.problem),
            technical=seen.problem.technical,
            lines=told,
        )
    tls = seen.tls_version or None
    found = LoginCheck(seen.greeting or "", seen.capabilities, tls, seen.seconds)
    return passed(account, found, told)


def passed(account: Account, found: LoginCheck, lines: tuple[Line, ...] = ()) -> Trial:
    """Say how a server answered that did what it was asked for."""
    words = _answers(account, found.tls_version, found.seconds)
    greeting = f" and lets {account.user} in" if account.user else ""
    return Trial(
        passed=True,
        sentence=f"{words}{greeting}.",
        about_server=f"{words}.",
        technical=found.greeting,
        lines=lines,
    )


def _answers(account: Account, tls_version: str | None, seconds: float) -> str:
    if tls_version is None:
        protection = "in clear text"
    elif account.verify_certificate:
        protection = f"with a trusted certificate ({tls_version})"
    else:
        protection = f"encrypted, certificate not checked ({tls_version})"
    return f"{account.host} answers {protection} after {in_words(seconds)}"


def advice(problem: ImapError) -> str:
    """What the person can do about it."""
    match problem:
        case LoginRefused():
            return login_step(problem)
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
