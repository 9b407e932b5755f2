"""What the columns of other providers' exports mean, whatever they are called there."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# "Password [Required]", "Password (optional)"; Google and Microsoft write such notes.
NOTES = re.compile(r"\[[^\]]*\]|\([^)]*\)")
LONGEST = 200  # nothing longer is known, and a search for notes takes its square
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


def plain(name: str) -> str:
    """Return a name of a column without case, spaces, punctuation, accents and notes.

    "E-Mail-Adresse", "eMail Adresse*" and "EMAILADRESSE" are all the same.
    """
    folded = unicodedata.normalize("NFC", name[:LONGEST]).casefold().translate(UMLAUTS)
    letters = unicodedata.normalize("NFKD", NOTES.sub("", folded).strip() or folded)
    return "".join(it for it in letters if it.isalnum())


@dataclass(frozen=True, slots=True)
class Provider:
    name: str
    marks: tuple[frozenset[str], ...]  # all of one of these are in its header
    meanings: Mapping[str, str]

    def is_seen_in(self, names: Iterable[str]) -> bool:
        seen = frozenset(names)
        return any(marks <= seen for marks in self.marks)


def _provider(name: str, *, marks: list[list[str]], **meanings: list[str]) -> Provider:
    return Provider(
        name,
        tuple(frozenset(map(plain, it)) for it in marks),
        {plain(it): meaning for meaning, names in meanings.items() for it in names},
    )


PROVIDERS = (
    _provider(
        "Google Workspace",
        marks=[
            ["Email Address", "Org Unit Path"],
            ["E-Mail-Adresse", "Pfad der Organisationseinheit"],
        ],
        address=["Email Address", "E-Mail-Adresse"],
        password=["Password", "Passwort"],
        password_hash=["Password Hash Function", "Passwort-Hash-Funktion"],
        recovery_email=["Recovery Email", "E-Mail-Adresse zur Wiederherstellung"],
        recovery_phone=["Recovery Phone", "Telefonnummer zur Wiederherstellung"],
        first_name=["First Name", "Vorname"],
        last_name=["Last Name", "Nachname"],
    ),
    # The list of users, and what PowerShell and Entra write.
    _provider(
        "Microsoft 365",
        marks=[["User principal name"], ["Benutzerprinzipalname"]],
        address=["User principal name", "Benutzerprinzipalname"],
        password=["Password", "Kennwort"],
        recovery_email=[
            "Alternate email address",
            "Alternate email addresses",
            "Alternative E-Mail-Adresse",
            "Alternative E-Mail-Adressen",
        ],
        recovery_phone=["Authentication phone number"],
        first_name=["First name", "Given name", "Vorname"],
        last_name=["Last name", "Surname", "Nachname"],
        display_name=["Display name", "Anzeigename"],
    ),
    # The form that Microsoft takes; its "Address" is a street.
    _provider(
        "Microsoft 365",
        marks=[
            ["Username", "Display name", "Office number"],
            ["Username", "Alternate email address"],
            ["User name", "Display name", "Office phone"],
            ["Benutzername", "Anzeigename", "Büronummer"],
            ["Benutzername", "Alternative E-Mail-Adresse"],
        ],
        address=["Username", "Benutzername"],
        password=["Password", "Kennwort"],
        recovery_email=["Alternate email address", "Alternative E-Mail-Adresse"],
        first_name=["First name", "Vorname"],
        last_name=["Last name", "Nachname"],
        display_name=["Display name", "Anzeigename"],
        nothing=["Address", "Adresse"],
    ),
    _provider(
        "Zoho",
        marks=[
            ["ZUID"],
            ["Username", "Password", "First Name", "Last Name"],
            ["Email address", "Display name", "Secondary email"],
        ],
        address=["Email address", "Email", "Email ID", "Username", "Primary email"],
        password=["Password"],
        recovery_email=["Recovery email", "Secondary email", "Alternate email"],
        recovery_phone=["Recovery phone"],
        first_name=["First Name"],
        last_name=["Last Name"],
        display_name=["Display name"],
    ),
)


def provider_of(header: Iterable[str]) -> Provider | None:
    names = [plain(it) for it in header]
    return next((it for it in PROVIDERS if it.is_seen_in(names)), None)
