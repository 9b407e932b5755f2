"""Writes tables that a spreadsheet opens as they are meant, one line at a time."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence

from purelymanage.sheets.cells import harmless

CONTENT_TYPE = "text/csv; charset=utf-8"
MARK = "\ufeff"  # without it, Excel takes the text for something older than UTF-8


class Line:
    """Takes what the csv module writes and hands it on."""

    def write(self, text: str) -> str:
        return text


def as_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield a table line by line; no cell is a formula."""
    writer = csv.writer(Line())
    yield MARK
    yield writer.writerow([harmless(it) for it in header])
    for row in rows:
        yield writer.writerow([harmless(str(it)) for it in row])
