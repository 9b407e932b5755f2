"""The table of faults, as plain text or as Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

HEAD = ("What was broken", "What people saw", "Until well", "Lost or doubled")
WIDTHS = (26, 58, 10, 26)


@dataclass(frozen=True)
class Row:
    fault: str
    seen: str
    seconds: float | None  # from the repair until all was well
    lost: str = "nothing"
    failed: bool = False

    @property
    def cells(self) -> tuple[str, str, str, str]:
        until = "" if self.seconds is None else in_words(self.seconds)
        return self.fault, self.seen, until, self.lost


def in_words(seconds: float) -> str:
    if seconds < 1:
        return "at once"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"


def as_markdown(rows: Sequence[Row]) -> str:
    lines = [HEAD, tuple("---" for _ in HEAD), *(row.cells for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def as_text(rows: Sequence[Row]) -> str:
    parts = []
    for cells in (HEAD, *(row.cells for row in rows)):
        columns = [
            textwrap.wrap(cell, width) or [""]
            for cell, width in zip(cells, WIDTHS, strict=True)
        ]
        for at in range(max(map(len, columns))):
            line = [
                (column[at] if at < len(column) else "").ljust(width)
                for column, width in zip(columns, WIDTHS, strict=True)
            ]
            parts.append("  ".join(line).rstrip())
        parts.append("")
    return "\n".join(parts)
