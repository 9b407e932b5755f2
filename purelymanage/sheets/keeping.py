"""A table as text or JSON, to be kept until somebody has decided about it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from purelymanage.sheets.reading import Problem, Row, Sheet


def as_text(sheet: Sheet) -> str:
    return json.dumps(as_stored(sheet))


def from_text(text: str) -> Sheet:
    """Return the table that `as_text` was given."""
    return from_stored(json.loads(text))


def as_stored(sheet: Sheet) -> dict[str, Any]:
    """Return a table as JSON knows it, for one without secrets."""
    return asdict(sheet)


def from_stored(stored: dict[str, Any]) -> Sheet:
    """Return the table that `as_stored` was given."""
    rows = tuple(
        Row(it["line"], it["last_line"], tuple(it["cells"])) for it in stored["rows"]
    )
    problems = tuple(Problem(**it) for it in stored["problems"])
    texts = {name: tuple(stored[name]) for name in ("header", "remarks")}
    return Sheet(**stored | {"rows": rows, "problems": problems} | texts)
