"""What single cells of a table mean, or a sentence why they mean nothing."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from purelymanage.mailboxes import addresses, passwords
from purelymanage.mailboxes.tags import object_to_tags, read_tags
from purelymanage.sheets.cells import as_meant, invisible, is_formula
from purelymanage.wording import NO_ADDRESS

YES = {"yes", "y", "true", "on", "1", "x", "ja", "j", "wahr", "an", "oui", "vrai"}
NO = {"no", "n", "false", "off", "0", "nein", "falsch", "aus", "non", "faux"}
# RFC 3966 and E.164; spreadsheets like to add the rest.
BETWEEN_DIGITS = re.compile(r"[\s().\-/\u2010-\u2013]")
PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
# What a spreadsheet shows in place of a formula it cannot work out.
BROKEN = re.compile(r"#(NAME\?|REF!|VALUE!|N/A|NULL!|NUM!|DIV/0!|WERT!|BEZUG!|NV)")
LONGEST_PASSWORD = 200


class Meaningless(Exception):
    """A cell that says nothing of use. Its text is a sentence without the cell."""


def address(cell: str, default_domain: str) -> tuple[str, str]:
    """Return what stands before the @ and the domain, both written small."""
    written = seen(cell).lower()
    if not written:
        raise Meaningless("There is no address.")
    local, at, domain = written.rpartition("@")
    if not at:
        local, domain = written, default_domain
    if not domain:
        raise Meaningless(
            "There is no domain. Choose one for names without, or write it behind an @."
        )
    if len(domain) > addresses.LONGEST_ADDRESS:
        raise Meaningless("The whole address is too long.")
    if "@" in local:
        raise Meaningless("There is more than one @ in it.")
    if not local:
        raise Meaningless("There is nothing before the @.")
    if objection := addresses.object_to_local_part(local):
        raise Meaningless(objection)
    return local, domain


def recovery_email(cell: str, own_address: str) -> str:
    written = seen(cell)
    if not written:
        return ""
    try:
        validate_email(written)
    except ValidationError:
        raise Meaningless(NO_ADDRESS) from None
    if len(written) > addresses.LONGEST_ADDRESS:
        raise Meaningless("The whole address is too long.")
    if written.lower() == own_address:
        raise Meaningless(addresses.OWN_RECOVERY)
    return written


def phone(cell: str) -> str:
    """Return a number as E.164 writes it. A plus makes no formula here."""
    written = as_meant(cell.strip()).replace("(0)", "")
    number = BETWEEN_DIGITS.sub("", written)
    if not number:
        return ""
    if number.startswith("00"):
        number = f"+{number[2:]}"
    if not PHONE.fullmatch(number):
        raise Meaningless("Write the number with its country, like +49 170 1234567.")
    return number


def flag(cell: str) -> bool | None:
    """Return yes or no, `None` where nothing is said."""
    word = cell.strip().casefold()
    if word in YES:
        return True
    if word in NO:
        return False
    if word:
        raise Meaningless("Write yes or no, or leave it empty.")
    return None


def tags(cell: str) -> tuple[str, ...]:
    if not cell.strip():
        return ()
    found = read_tags(as_meant(cell.strip()))
    if any(map(is_formula, found)):
        raise Meaningless("A tag looks like a formula.")
    if objection := object_to_tags(found):
        raise Meaningless(objection)
    return tuple(found)


def password(cell: str, hashed_as: str) -> str:
    """Return a password as it is to be typed. How strong it is, is not asked here."""
    if hashed_as.strip():
        raise Meaningless(
            "This is the hash of a password, as the file says. Nobody can sign in with "
            "it; let passwords be made."
        )
    if not cell.strip():
        raise Meaningless("There is no password. Write one, or let all be made.")
    if not cell.strip("*•●"):
        raise Meaningless(
            "This only stands for a password that the old provider keeps to itself. "
            "Let passwords be made."
        )
    if BROKEN.fullmatch(cell.strip()):
        raise Meaningless("The spreadsheet took it for a formula and lost it.")
    if len(cell) > LONGEST_PASSWORD:
        raise Meaningless(f"A password has at most {LONGEST_PASSWORD} characters.")
    if objection := passwords.object_to_password(cell):
        raise Meaningless(objection)
    return cell


def seen(cell: str) -> str:
    """Return what people see in a cell, unless it hides something."""
    written = as_meant(cell.strip())
    if is_formula(written):
        raise Meaningless(
            f"It begins with “{written[0]}”, as formulas do. Write the plain address."
        )
    if name := invisible(written):
        raise Meaningless(f"There is a character in it that nobody sees: {name}.")
    return written
