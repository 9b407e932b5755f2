"""Tags that people put on mailboxes, kept by the panel alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

LONGEST = 30  # as the column of the model
MOST = 10
BETWEEN = re.compile(r"[,;|\n]")


def read_tags(text: str) -> list[str]:
    """Return the tags in a text that commas divide, small and each once."""
    return distinct(" ".join(it.split()) for it in BETWEEN.split(text))


def distinct(tags: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(tag.lower() for tag in tags if tag))


def object_to_tags(tags: Collection[str]) -> str:
    """Return why these cannot be kept, empty if they can."""
    if len(tags) > MOST:
        return f"A mailbox has at most {MOST} tags; these are {len(tags)}."
    for tag in tags:
        if len(tag) > LONGEST:
            return f"A tag has at most {LONGEST} characters; one of these has more."
        if not tag.isprintable():
            return "A tag has an invisible character."
    return ""
