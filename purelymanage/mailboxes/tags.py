"""Tags that people put on mailboxes, kept by the panel alone."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST = 30  # as the column of the model
BETWEEN = re.compile(r"[,;|\n]")


def read_tags(text: str) -> list[str]:
    """Return the tags in a text that commas divide, each once however it is written."""
    return distinct(" ".join(it.split()) for it in BETWEEN.split(text))


def distinct(tags: Iterable[str]) -> list[str]:
    found: dict[str, str] = {}
    for tag in tags:
        if tag:
            found.setdefault(tag.casefold(), tag)
    return list(found.values())


def object_to_tags(tags: Iterable[str]) -> str:
    """Return why these cannot be kept, empty if they can."""
    for tag in tags:
        if len(tag) > LONGEST:
            return f"A tag has at most {LONGEST} characters; one of these has more."
        if not tag.isprintable():
            return "A tag has an invisible character."
    return ""
