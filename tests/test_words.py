"""One thing has one name, on every page."""

from __future__ import annotations

from pathlib import Path

import pytest

from purelymanage.environment import BASE_DIR

# What was called in two ways, and the name that was settled on.
SETTLED = {
    "Full-text search": "Search indexing",
    "Search index<": "Search indexing",
    "Import CSV": "Import mailboxes",
    "Import a table": "Import mailboxes, Import rules",
    "as a table": "as CSV",
    "Notices": "Notifications",
    "Upload again": "Upload another file",
    "Upload something else": "Upload another file",
    "Earlier ones": "Bulk changes",
    'Clear the filter"': "Clear the filters",
    "Take out": "Remove",
    "Take it away": "Remove it",
    'title">Keys<': "Keyboard shortcuts",
}


def pages() -> dict[str, str]:
    folder = BASE_DIR / "templates"
    found = [*folder.rglob("*.html"), *(BASE_DIR / "purelymanage").rglob("forms/*.py")]
    return {name(path): path.read_text(encoding="utf-8") for path in found}


def name(path: Path) -> str:
    return str(path.relative_to(BASE_DIR))


@pytest.mark.parametrize("former", SETTLED)
def test_nothing_goes_by_a_name_that_was_given_up(former: str) -> None:
    assert [path for path, text in pages().items() if former in text] == []
