from __future__ import annotations


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


class Refused(ImapError):
    """The server answered NO or BAD to a command."""

    def __init__(self, message: str, technical: str = "", *, code: str = "") -> None:
        super().__init__(message, technical)
        # The response code in upper case, such as OVERQUOTA or TRYCREATE.
        self.code = code
        self.retry = code in {"INUSE", "LIMIT", "THROTTLED", "UNAVAILABLE"}


class ProtocolError(ImapError):
    """The server said something that no IMAP server may say."""
