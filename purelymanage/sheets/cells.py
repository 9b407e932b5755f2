"""What a cell may hide from whoever looks at it in a spreadsheet."""

from __future__ import annotations

import unicodedata

# What makes a spreadsheet take a cell for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def is_formula(cell: str) -> bool:
    return cell.startswith(FORMULA)


def harmless(cell: str) -> str:
    """Return a cell so that a spreadsheet shows it and runs nothing."""
    return f"'{cell}" if is_formula(cell) else cell


def as_meant(cell: str) -> str:
    """Return a cell without the mark that `harmless` has put before it."""
    return cell[1:] if cell.startswith("'") and is_formula(cell[1:]) else cell


def invisible(cell: str) -> str:
    """Return the name of the first character that nobody sees, empty if there is none.

    Spaces that are not the one of the keyboard count, as they look like it.
    """
    if cell.isprintable():
        return ""
    for character in cell:
        if character.isprintable():
            continue
        name = unicodedata.name(character, "").lower()
        return name or f"U+{ord(character):04X}"
    return ""
