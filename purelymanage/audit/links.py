"""Where an entry leads: apps to the right register the pages of what they record."""

from __future__ import annotations

from django.urls import reverse

from purelymanage.audit.fields import REFERENCES
from purelymanage.audit.models import Entry

_pages: dict[str, str] = {}


def register_page(reference: str, url_name: str) -> None:
    """Let entries that refer to such a row lead to its page."""
    if reference not in REFERENCES:
        raise ValueError(reference)
    _pages[reference] = url_name


def page_of(entry: Entry) -> str:
    """Return the path of the page of what an entry is about, if it has one."""
    for reference, url_name in _pages.items():
        key = entry.details.get(reference, "")
        if isinstance(key, str) and key.isascii() and key.isdigit():
            return reverse(url_name, args=[int(key)])
    return ""
