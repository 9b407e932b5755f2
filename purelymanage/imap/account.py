from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Security(StrEnum):
    """How a connection is protected."""

    TLS = "tls"
    STARTTLS = "starttls"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A mailbox on a server, and what it takes to enter it."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    security: Security = Security.TLS
    verify_certificate: bool = True
    # Trusted in addition to the authorities the system knows.
    ca_file: str | None = None
    # What a person calls it where two accounts take part.
    side: str = "server"

    @property
    def place(self) -> str:
        """Return who is meant, for the sentences about what went wrong."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.side} {host}:{self.port}"
