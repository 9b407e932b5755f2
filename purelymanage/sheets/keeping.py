"""A table as text, to be kept until somebody has decided about it."""

from __future__ import annotations

import json
from dataclasses import asdict

from purelymanage.sheets.reading import Problem, Row, Sheet


def as_text(sheet: Sheet) -> str:
    return json.dumps(asdict(sheet))


def from_text(text: str) -> Sheet:
    """Return the table that `as_text` was given."""
    kept = json.loads(text)
    kept["rows"] = tuple(
        Row(it["line"], it["last_line"], tuple(it["cells"])) for it in kept["rows"]
    )
    kept["problems"] = tuple(Problem(**it) for it in kept["problems"])
    for name in ("header", "remarks"):
        kept[name] = tuple(kept[name])
    return Sheet(**kept)
