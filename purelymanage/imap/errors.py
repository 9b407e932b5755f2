from __future__ import annotations

import re

_PASSING = {"INUSE", "LIMIT", "THROTTLED", "UNAVAILABLE"}
_TOO_LARGE = re.compile(
    r"too ?big|too ?large|larger than|exceeds? .*(?:size|limit|maximum)"
    r"|maximum (?:message )?size|message size",
    re.IGNORECASE,
)


def is_about_size(words: str) -> bool:
    """Whether a server speaks of a message that is larger than it takes."""
    return _TOO_LARGE.search(words) is not None


class ImapError(Exception):
    """Something went wrong with a mail server.

    `message` is a sentence for the person, `technical` the server's or the system's
    own words. Neither ever holds a password. `retry` says whether the same attempt
    may well succeed in a minute.
    """

    retry = False

    def __init__(self, message: str, technical: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.technical = technical


class Unreachable(ImapError):
    """The name is unknown, nobody listens there, or nobody answers."""

    retry = True


class CertificateRefused(ImapError):
    """The server could not prove who it is."""


class LoginRefused(ImapError):
    """The server does not accept this user with this password."""


class ConnectionLost(ImapError):
    """The connection broke or fell silent after it had worked."""

    retry = True


class WentSilent(ConnectionLost):
    """The server said nothing more: it may still be at work, and may never know."""


class Refused(ImapError):
    """The server answered NO or BAD to a command."""

    def __init__(self, message: str, technical: str = "", *, code: str = "") -> None:
        super().__init__(message, technical)
        # The response code in upper case, such as OVERQUOTA or TRYCREATE.
        self.code = code
        # Dovecot says LIMIT of a message that is too large, too.
        lasts = code == "LIMIT" and is_about_size(technical)
        self.retry = code in _PASSING and not lasts


class ProtocolError(ImapError):
    """The server said something that no IMAP server may say."""
