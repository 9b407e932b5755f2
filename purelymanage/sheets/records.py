"""From text to records: what stands between two line breaks, quotes respected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from purelymanage.figures import thin
from purelymanage.sheets.decoding import LOST

LINE_BREAK = re.compile(r"\r\n|\r|\n")
OPENING = re.compile(r' *"')
QUOTED = re.compile(r'[^"]*+(?:""[^"]*+)*+')  # up to the quote that closes
LONGEST_CELL = 10_000


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a file, from `line` to `last_line`, with what is wrong with it."""

    line: int
    last_line: int
    cells: list[str] = field(repr=False)
    fault: str = ""
    column: int | None = None  # of the fault, the first is 0

    @property
    def is_empty(self) -> bool:
        return not self.fault and not any(it.strip() for it in self.cells)


def split_lines(text: str) -> list[str]:
    lines = LINE_BREAK.split(text)
    if not lines[-1]:
        lines.pop()
    return lines


def records(
    lines: list[str], delimiter: str, *, most_cells: int, skip: int = 0
) -> Iterator[Record]:
    """Yield one record after the other, so that each line belongs to exactly one."""
    at = skip
    while at < len(lines):
        if '"' in lines[at]:
            record = _with_quotes(lines, at, delimiter)
        elif lines[at].count(delimiter) < most_cells:
            record = Record(at + 1, at + 1, lines[at].split(delimiter))
        else:
            record = Record(at + 1, at + 1, [], _say_too_many(most_cells), most_cells)
        yield record if record.fault else _checked(record, most_cells)
        at = record.last_line


def _with_quotes(lines: list[str], at: int, delimiter: str) -> Record:
    """Read the record that begins with a line.

    Whatever is wrong with it, all of it is read: the next begins where it ends.
    """
    first, line, position = at + 1, lines[at], 0
    cells: list[str] = []
    fault, column = "", None
    while True:
        if opening := OPENING.match(line, position):
            opened, position = at + 1, opening.end()
            parts: list[str] = []
            while True:
                run = QUOTED.match(line, position)
                assert run is not None  # as it may be empty
                parts.append(run[0].replace('""', '"'))
                position = run.end() + 1
                if position <= len(line):
                    break
                at += 1
                if at == len(lines):
                    return _unclosed(first, opened, at, len(cells))
                parts.append("\n")
                line, position = lines[at], 0
            cells.append("".join(parts))
        end = line.find(delimiter, position)
        end = len(line) if end < 0 else end
        rest = line[position:end]
        if not opening:
            cells.append(rest)
        elif rest.strip(" ") and not fault:
            column = len(cells) - 1
            fault = (
                f"In column {column + 1}, something follows the closing quote. A quote "
                "inside of a cell is written twice."
            )
        if end == len(line):
            return Record(first, at + 1, [] if fault else cells, fault, column)
        position = end + len(delimiter)


def _unclosed(first: int, opened: int, last: int, column: int) -> Record:
    fault = (
        f"The quote that opens in line {opened}, column {column + 1}, is never closed, "
        "so nothing after it could be read."
    )
    return Record(first, last, [], fault, column)


def _checked(record: Record, most_cells: int) -> Record:
    """Return the record, with a fault where it cannot be taken as it is."""
    fault, column = "", None
    if len(record.cells) > most_cells:
        fault, column = _say_too_many(most_cells), most_cells
    for number, cell in enumerate(record.cells[:most_cells], 1):
        if len(cell) > LONGEST_CELL:
            fault = (
                f"The cell in column {number} is longer than {thin(LONGEST_CELL)} "
                "characters; perhaps a quote is missing."
            )
        elif LOST in cell:
            fault = (
                f"A character in column {number} is damaged. Save the file as CSV "
                "(UTF-8) again."
            )
        elif "\x00" in cell:
            fault = f"Column {number} has an invisible NUL character."
        else:
            continue
        column = number - 1
        break
    if not fault:
        return record
    return Record(record.line, record.last_line, [], fault, column)


def _say_too_many(most_cells: int) -> str:
    return f"The line has more than {most_cells} cells."
