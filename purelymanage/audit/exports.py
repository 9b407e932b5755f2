"""The audit log as a file: read in steps, so that its length costs no memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from purelymanage.audit.models import Entry, EntryQuerySet
from purelymanage.sheets import writing

PER_STEP = 2_000
COLUMNS = (
    "sequence",
    "time",
    "who",
    "role",
    "address",
    "request",
    "event",
    "target",
    "domain",
    "sentence",
    "details",
    "diff",
    "previous_hmac",
    "hmac",
)


def as_csv(entries: EntryQuerySet) -> Iterator[str]:
    """Yield lines that a spreadsheet opens without running anything."""
    return writing.as_csv(COLUMNS, map(_cells, _steps(entries)))


def as_json_lines(entries: EntryQuerySet) -> Iterator[str]:
    for entry in _steps(entries):
        yield json.dumps(_values(entry), ensure_ascii=False) + "\n"


FORMS: dict[str, tuple[str, Callable[[EntryQuerySet], Iterator[str]]]] = {
    "csv": (writing.CONTENT_TYPE, as_csv),
    "jsonl": ("application/x-ndjson", as_json_lines),
}


def _cells(entry: Entry) -> list[object]:
    cells = _values(entry)
    for name in ("details", "diff"):
        cells[name] = json.dumps(cells[name], ensure_ascii=False)
    return list(cells.values())


def _values(entry: Entry) -> dict[str, Any]:
    return dict(
        zip(
            COLUMNS,
            (
                entry.sequence,
                entry.recorded_at.isoformat(),
                entry.actor_name,
                entry.actor_role,
                entry.address or "",
                entry.request_id,
                entry.event,
                entry.target,
                entry.domain,
                entry.sentence,
                entry.details,
                entry.diff,
                entry.previous_hmac,
                entry.hmac,
            ),
            strict=True,
        )
    )


def _steps(entries: EntryQuerySet) -> Iterator[Entry]:
    """Walk from the newest entry to the oldest; nothing stays open in between."""
    end = Entry.objects.head()[0] + 1
    while step := list(
        entries.filter(sequence__lt=end).order_by("-sequence")[:PER_STEP]
    ):
        yield from step
        end = step[-1].sequence
