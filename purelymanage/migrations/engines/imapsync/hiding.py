"""Takes passwords out of what a program says that has read them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from string import ascii_letters, digits
from urllib.parse import quote

SHORTEST = 3  # to hide a shorter one would show it, by what is missing everywhere
_INNER = 8  # characters of base64 that do not come about by chance
_BASE64 = frozenset(ascii_letters + digits + "+/-_=")


class Hider:
    """Hides some words as they are, escaped, and within base64 of anything."""

    def __init__(self, words: Iterable[str]) -> None:
        forms: set[str] = set()
        inner: set[str] = set()
        for word in words:
            if len(word) >= SHORTEST:
                forms |= _forms(word)
                inner |= _inner(word)
        self._forms = _either(forms)
        self._inner = _either(inner)

    def hide(self, text: str) -> str:
        if self._inner is not None:
            text = self._hide_base64(self._inner, text)
        return self._forms.sub("…", text) if self._forms is not None else text

    def _hide_base64(self, inner: re.Pattern[str], text: str) -> str:
        """Hide the whole words in which it is found: their ends belong to it, too."""
        parts, after = [], 0
        while found := inner.search(text, after):
            start, end = found.span()
            while start > after and text[start - 1] in _BASE64:
                start -= 1
            while end < len(text) and text[end] in _BASE64:
                end += 1
            parts += [text[after:start], "…"]
            after = end
        return "".join(parts) + text[after:]


def _either(words: set[str]) -> re.Pattern[str] | None:
    """Return a pattern for any of `words`, the longest first."""
    longest_first = sorted(words, key=lambda it: (-len(it), it))
    return re.compile("|".join(map(re.escape, longest_first))) if words else None


def _forms(word: str) -> set[str]:
    quoted = word.replace("\\", "\\\\")
    return {
        word,
        " ".join(word.split()) or word,
        quoted.replace('"', '\\"'),
        quoted.replace("'", "\\'"),
        json.dumps(word)[1:-1],
        repr(word)[1:-1],
        quote(word, safe=""),
        quote(word),
    }


def _inner(word: str) -> set[str]:
    """Return what base64 makes of a word, wherever among other bytes it begins."""
    raw = word.encode("utf-8", "surrogateescape")
    found = set()
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        # The first and the last characters depend on their neighbours, too.
        first = -(-before * 8 // 6)
        last = (before + len(raw)) * 8 // 6
        if last - first >= _INNER:
            part = whole[first:last]
            found |= {part, part.replace("+", "-").replace("/", "_")}
    return found
