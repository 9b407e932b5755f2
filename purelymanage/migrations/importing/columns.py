"""Which columns a table of copies may have, and which one is what."""

from __future__ import annotations

from collections.abc import Sequence

from purelymanage.sheets.columns import Guess, Target, guess
from purelymanage.sheets.reading import ADDRESS, Row, Sheet

# The names of the first two are those that exports of providers are known by.
SOURCE, PASSWORD = "address", "password"
DESTINATION, DESTINATION_PASSWORD = "destination", "destination_password"
NEW_NAME = "new_name"
TARGETS = (
    Target(
        SOURCE,
        "old mailbox",
        (
            "Source",
            "Source email",
            "Source address",
            "Source user",
            "Source username",
            "Source login",
            "Source mailbox",
            "From",
            "From address",
            "Old address",
            "Old email",
            "Old user",
            "User",
            "User1",
            "Username",
            "Login",
            "Email",
            "Email address",
            "Mailbox",
            "Quelle",
            "Quelladresse",
            "Quellpostfach",
            "Alte Adresse",
            "Altes Postfach",
            "Benutzer",
            "Benutzername",
            "E-Mail-Adresse",
            "Postfach",
        ),
        is_required=True,
        pattern=ADDRESS,
    ),
    Target(
        PASSWORD,
        "password of the old mailbox",
        (
            "Source password",
            "Old password",
            "From password",
            "Password1",
            "App password",
            "Passwort",
            "Kennwort",
            "Quellpasswort",
            "Altes Passwort",
        ),
        is_required=True,
        is_secret=True,
    ),
    Target(
        DESTINATION,
        "new mailbox",
        (
            "Destination",
            "Destination email",
            "Destination address",
            "Destination user",
            "Destination mailbox",
            "Dest",
            "Dest email",
            "Dest address",
            "Dest user",
            "Target",
            "Target email",
            "Target address",
            "Target mailbox",
            "To",
            "To address",
            "New address",
            "New email",
            "User2",
            "Ziel",
            "Zieladresse",
            "Zielpostfach",
            "Neue Adresse",
            "Neues Postfach",
        ),
    ),
    Target(
        DESTINATION_PASSWORD,
        "password of the new mailbox",
        (
            "Destination password",
            "Dest password",
            "Target password",
            "To password",
            "New password",
            "Password2",
            "Zielpasswort",
            "Neues Passwort",
        ),
        is_secret=True,
    ),
    Target(
        NEW_NAME,
        "new name",
        ("New local part", "New user name", "Rename to", "Neuer Name", "Umbenennen in"),
    ),
)
# Without names above them, three or four columns are these.
USUAL = (SOURCE, PASSWORD, DESTINATION, DESTINATION_PASSWORD)
BY_PLACE = (
    "Without names above them, the columns were taken for old mailbox, its password, "
    "new mailbox and its password."
)
ROWS_LOOKED_AT = 50


def guess_columns(sheet: Sheet) -> Guess:
    if not sheet.has_header and _is_usual(sheet.rows, len(sheet.header)):
        known = dict(enumerate(USUAL[: len(sheet.header)]))
        return Guess(columns=known, provider="", doubts=(), remarks=(BY_PLACE,))
    return guess(sheet.header, TARGETS, sheet.rows)


def _is_usual(rows: Sequence[Row], width: int) -> bool:
    """Whether the third column holds addresses, or nothing, and the second none."""
    if width not in (3, 4):
        return False
    seen = [row.cells for row in rows[:ROWS_LOOKED_AT]]
    addresses = [bool(ADDRESS.fullmatch(it[2])) for it in seen if it[2].strip()]
    passwords = [bool(ADDRESS.fullmatch(it[1])) for it in seen if it[1].strip()]
    return any(addresses) and not all(passwords)
