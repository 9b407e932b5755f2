"""What a table may want of mailboxes, and what the form adds to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from purelymanage.sheets.columns import Target
from purelymanage.sheets.reading import ADDRESS

TARGETS = (
    Target(
        "address",
        "address",
        (
            "Email",
            "Email address",
            "Email ID",
            "Mail",
            "Mail address",
            "Mailbox",
            "Login",
            "User",
            "Username",
            "Local part",
            "Primary email",
            "E-Mail-Adresse",
            "Mailadresse",
            "Adresse",
            "Postfach",
            "Benutzer",
            "Benutzername",
        ),
        is_required=True,
        pattern=ADDRESS,
    ),
    Target(
        "password",
        "password",
        ("New password", "Initial password", "Passwort", "Kennwort", "Startpasswort"),
        is_secret=True,
    ),
    Target(
        "password_hash",
        "kind of password hash",
        ("Password hash function", "Hash function"),
    ),
    Target(
        "recovery_email",
        "recovery address",
        (
            "Recovery email",
            "Recovery email address",
            "Alternate email",
            "Alternate email address",
            "Alternative email",
            "Secondary email",
            "Private email",
            "Personal email",
            "Wiederherstellungsadresse",
            "Wiederherstellungs-E-Mail",
            "Alternative E-Mail",
            "Alternative E-Mail-Adresse",
            "Private E-Mail",
        ),
    ),
    Target(
        "recovery_phone",
        "recovery phone",
        (
            "Recovery phone number",
            "Authentication phone",
            "Wiederherstellungstelefon",
            "Wiederherstellungsnummer",
        ),
    ),
    Target(
        "reset_allowed",
        "leave to reset the password",
        (
            "Reset allowed",
            "Password reset",
            "Password reset allowed",
            "Allow password reset",
            "Passwort zurücksetzen",
            "Zurücksetzen erlaubt",
        ),
    ),
    Target(
        "search_indexing",
        "full-text search",
        ("Search indexing", "Search", "Volltextsuche", "Suche"),
    ),
    Target("tags", "tags", ("Tag", "Labels", "Label", "Schlagwörter", "Etiketten")),
)
LABELS = {target.name: target.label for target in TARGETS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What the form says for all rows.

    Flags are meant for new mailboxes: one that exists is changed by what its own row
    says, so that the same file may be read twice. Tags are put on all.
    """

    domain: str = ""  # of names without one
    passwords_from_file: bool = False  # otherwise the panel makes them
    reset_existing: bool = False  # whether existing mailboxes get new passwords, too
    change_existing: bool = True
    reset_allowed: bool = True
    search_indexing: bool = True
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be true of one mailbox; `None` and empty stand for "as it is"."""

    address: str
    reset_allowed: bool | None = None
    search_indexing: bool | None = None
    recovery_email: str = ""
    recovery_phone: str = ""
    tags: tuple[str, ...] = ()
    sets_password: bool = False
    password: str = field(default="", repr=False)  # empty: one is to be made

    @property
    def wishes(self) -> Mapping[str, Any]:
        """Return all that is wanted except for the password, as JSON takes it."""
        everything = {
            "reset_allowed": self.reset_allowed,
            "search_indexing": self.search_indexing,
            "recovery_email": self.recovery_email,
            "recovery_phone": self.recovery_phone,
            "tags": list(self.tags),
            "sets_password": self.sets_password,
        }
        return {
            name: value for name, value in everything.items() if value not in (None, "")
        }
