"""What single cells of a table of copies mean, or a sentence why they mean nothing."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from purelymanage.mailboxes.bulk import meanings
from purelymanage.mailboxes.bulk.meanings import BROKEN, Meaningless
from purelymanage.sheets.cells import as_meant, invisible
from purelymanage.wording import NO_ADDRESS

LONGEST_USER = 254
LONGEST_PASSWORD = 1000
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class noting:  # noqa: N801  # reads like a function
    """Add to the `faults` of a line why a cell of this column means nothing.

    No generator, as there are some for each of ten thousand lines.
    """

    __slots__ = ("_column", "_faults")

    def __init__(self, faults: list[tuple[str, str]], column: str) -> None:
        self._faults, self._column = faults, column

    def __enter__(self) -> None:
        """Nothing is wrong yet."""

    def __exit__(self, kind: object, problem: object, trace: object) -> bool:
        if not isinstance(problem, Meaningless):
            return False
        self._faults.append((self._column, str(problem)))
        return True


def user(cell: str) -> str:
    """Return the name by which somebody signs in: an address, or what a server likes."""
    written = as_meant(cell.strip())
    if not written:
        raise Meaningless("There is no user. Write the name one signs in with.")
    if name := invisible(written):
        raise Meaningless(f"There is a character in it that nobody sees: {name}.")
    if len(written) > LONGEST_USER:
        raise Meaningless("This is longer than any such name can be.")
    # Some servers take names of another kind, but these have no domain with a dot.
    if "@" in written and "." in written.rpartition("@")[2]:
        try:
            validate_email(written)
        except ValidationError:
            raise Meaningless(NO_ADDRESS) from None
    elif any(it.isspace() for it in written):
        raise Meaningless("This is neither an address nor the name of a user.")
    return written


def password(cell: str) -> str:
    """Return a password that somebody else has chosen, whatever it is like."""
    if not cell.strip():
        raise Meaningless("There is no password.")
    if not cell.strip("*•●"):
        raise Meaningless(
            "This only stands for a password that the old provider keeps to itself."
        )
    if BROKEN.fullmatch(cell.strip()):
        raise Meaningless("The spreadsheet took it for a formula and lost it.")
    if len(cell) > LONGEST_PASSWORD:
        raise Meaningless(f"A password has at most {LONGEST_PASSWORD} characters.")
    if CONTROL.search(cell):
        raise Meaningless(
            "The password has a line break or a character nobody can type."
        )
    return cell


def destination(cell: str, new_name: str, default_domain: str) -> str:
    """Return the address of a mailbox of the account, with its new name if it has one."""
    local, domain = meanings.address(cell, default_domain)
    if new_name.strip():
        local, other = meanings.address(new_name, domain)
        if other != domain:
            raise Meaningless(
                "The new name is only what stands before the @, as the domain is said."
            )
    return f"{local}@{domain}"
