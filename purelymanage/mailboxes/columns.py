"""The columns of the list, of which everybody chooses their own."""

from __future__ import annotations

from collections.abc import Collection

from purelymanage.accounts.models import User

PREFERENCE = "mailbox_columns"
COLUMNS = {
    "recovery": "Recovery",
    "two_factor": "Two-factor",
    "reset": "Reset by owner",
    "search_index": "Search indexing",
    "tags": "Tags",
    "domain": "Domain",
    "added": "Known since",
    "note": "Note",
}
USUAL = ("recovery", "two_factor", "added")


def columns_of(user: User, *, has_tags: bool) -> list[str]:
    """Return the columns that somebody chose; before that, tags where there are any."""
    chosen = user.preferences.get(PREFERENCE)
    if chosen is None:
        chosen = [*USUAL, "tags"] if has_tags else USUAL
    return known(chosen)


def known(names: Collection[str]) -> list[str]:
    """Return those that exist, in their order."""
    return [name for name in COLUMNS if name in names]
