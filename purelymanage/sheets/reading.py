"""Reads uploaded tables: whoever exported them, and whatever happened to them since.

Each line of a file ends up in the header, in a row, in a problem that names it, or
among the empty ones, and the counts of a `Sheet` show it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice

from purelymanage.figures import in_bytes, thin
from purelymanage.sheets.decoding import decode
from purelymanage.sheets.errors import Unreadable
from purelymanage.sheets.records import Record, records, split_lines

MOST_BYTES = 5_000_000
MOST_LINES = 100_000  # cells may hold line breaks
MOST_ROWS = 10_000
MOST_COLUMNS = 100

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
# What Excel writes, and reads, as the first line where the delimiter is in doubt.
EXCEL_HINT = re.compile(r'"?sep=(.)"?[,;\t|]*', re.I)
RECORDS_TRIED = 50
CHARACTERS_TRIED = 64 * 1024
ADDRESS = re.compile(r"\s*<?[^\s@<>]+@[^\s@<>.]+(\.[^\s@<>.]+)+>?\s*")


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    last_line: int
    cells: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Problem:
    """A record that could not be taken for a row, and why."""

    line: int
    last_line: int
    sentence: str
    column: int | None = None  # where it is known, the first is 0

    @property
    def lines(self) -> str:
        if self.line == self.last_line:
            return f"Line {self.line}"
        return f"Lines {self.line} to {self.last_line}"

    def __str__(self) -> str:
        return f"{self.lines}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as it was read. Its cells are just as they stand in the file."""

    file_name: str
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    header_lines: int  # how many lines the header takes, 0 where there is none
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]
    remarks: tuple[str, ...]
    lines: int
    empty_lines: int  # those of records without a word, and Excel's `sep=`

    @property
    def has_header(self) -> bool:
        return self.header_lines > 0

    @property
    def records(self) -> int:
        """How many rows there are in the file, readable or not."""
        return len(self.rows) + len(self.problems)

    @property
    def recognised(self) -> str:
        return f"{self.encoding}, separated by {DELIMITERS[self.delimiter]}"


def read(
    data: bytes,
    file_name: str = "",
    *,
    delimiter: str | None = None,
    header: bool | None = None,
) -> Sheet:
    """Return the table in a file, or raise `Unreadable`.

    Delimiter and header are guessed where nobody says what they are.
    """
    if len(data) > MOST_BYTES:
        raise Unreadable(
            f"This file has {in_bytes(len(data))}; at most {in_bytes(MOST_BYTES)} are "
            "read at once. Split it."
        )
    text, encoding = decode(data)
    # Breaks of lines first, as these are quicker to count than lines to make.
    breaks = text.count("\n") + text.count("\r")
    if breaks > 2 * MOST_LINES or len(lines := split_lines(text)) > MOST_LINES:
        raise Unreadable(f"This file has more than {thin(MOST_LINES)} lines. Split it.")

    skip = 0
    if lines and (hint := EXCEL_HINT.fullmatch(lines[0])):
        skip, delimiter = 1, delimiter or hint[1]
    if delimiter is not None and delimiter not in DELIMITERS:
        raise Unreadable(
            "The cells of this file are separated by something else than commas, "
            "semicolons, tabs or vertical bars. Save it with one of those."
        )
    delimiter = delimiter or guess_delimiter(lines)
    return _Reading(lines, delimiter, skip, header=header).sheet(file_name, encoding)


def guess_delimiter(lines: list[str]) -> str:
    """Return what divides the first records into equally many cells, the most if so."""
    # The beginning is enough, and a file may be a single line of megabytes.
    seen = split_lines("\n".join(lines[: RECORDS_TRIED * 4])[:CHARACTERS_TRIED])

    def quality(delimiter: str) -> tuple[float, int]:
        found = islice(records(seen, delimiter, most_cells=MOST_COLUMNS), RECORDS_TRIED)
        widths = [len(it.cells) for it in found if not it.is_empty]
        if not widths or widths[0] < 2:
            return 0, 0
        return widths.count(widths[0]) / len(widths), widths[0]

    return max(DELIMITERS, key=quality)


class _Reading:
    """Sorts the records of a file into header, rows, problems and nothing."""

    def __init__(
        self, lines: list[str], delimiter: str, skip: int, *, header: bool | None
    ) -> None:
        self.lines = lines
        self.delimiter = delimiter
        self.header: tuple[str, ...] | None = None
        self.header_lines = 0
        self.rows: list[Row] = []
        self.problems: list[Problem] = []
        self.remarks: list[str] = []
        self.empty_lines = skip
        for record in records(lines, delimiter, most_cells=MOST_COLUMNS, skip=skip):
            if record.is_empty:
                self.empty_lines += record.last_line - record.line + 1
            elif self.header is None:
                self._begin(record, header=header)
            else:
                self._take(record)

    def sheet(self, file_name: str, encoding: str) -> Sheet:
        if self.header is None:
            raise Unreadable("This file is empty.")
        if not self.rows and not self.problems:
            raise Unreadable(
                "This file has a header and no row below it. Where its only line is a "
                "row, add a line above it that names the columns."
            )
        return Sheet(
            file_name=file_name,
            encoding=encoding,
            delimiter=self.delimiter,
            header=self.header,
            header_lines=self.header_lines,
            rows=tuple(self.rows),
            problems=tuple(self.problems),
            remarks=tuple(self.remarks),
            lines=len(self.lines),
            empty_lines=self.empty_lines,
        )

    def _begin(self, record: Record, *, header: bool | None) -> None:
        if record.fault:
            raise Unreadable(
                f"The first line cannot be read, so nothing else can. {record.fault}"
            )
        if header is None:
            header = not any(ADDRESS.fullmatch(it) for it in record.cells)
            if not header:
                self.remarks.append(
                    "The first line was taken for a row, as it holds an address. "
                    "Columns have no names in this file."
                )
        if header and self._may_hold_rows(record.cells, len(record.cells)):
            raise Unreadable(
                "A quoted name of a column goes on over several lines and may hold "
                "rows: perhaps a quote is missing."
            )
        if header:
            self.header = tuple(record.cells)
            self.header_lines = record.last_line - record.line + 1
            self.remarks += _say_double(self.header)
        else:
            self.header = tuple(f"Column {it + 1}" for it in range(len(record.cells)))
            self._take(record)

    def _take(self, record: Record) -> None:
        if self.records == MOST_ROWS:
            raise Unreadable(
                f"This file has more than {thin(MOST_ROWS)} rows. Split it."
            )
        width = len(self.header or ())
        cells, more = record.cells[:width], record.cells[width:]
        fault, column = record.fault, record.column
        if not fault and len(cells) < width:
            fault, column = _say_ragged(record, width), len(cells)
        elif not fault and any(it.strip() for it in more):
            fault, column = _say_ragged(record, width), width
        elif not fault and self._may_hold_rows(cells, width):
            fault = (
                "A quoted cell goes on over these lines and may hold rows of its own: "
                "perhaps a quote is missing. If not, take out its line breaks."
            )
        if fault:
            self.problems.append(Problem(record.line, record.last_line, fault, column))
        else:
            self.rows.append(Row(record.line, record.last_line, tuple(cells)))

    def _may_hold_rows(self, cells: list[str], width: int) -> bool:
        """Tell whether stray quotes may have made one row of several.

        Where they have, the delimiters of the others are left within the cells.
        """
        within = sum(it.count(self.delimiter) for it in cells if "\n" in it)
        return within >= width - 1 > 0

    @property
    def records(self) -> int:
        return len(self.rows) + len(self.problems)


def _say_ragged(record: Record, width: int) -> str:
    cells = "1 cell" if len(record.cells) == 1 else f"{len(record.cells)} cells"
    columns = "is 1 column" if width == 1 else f"are {width} columns"
    return f"The line has {cells}, where there {columns}."


def _say_double(header: tuple[str, ...]) -> list[str]:
    places: dict[str, list[str]] = {}
    for number, name in enumerate(header, 1):
        if name.strip():
            places.setdefault(name.strip().casefold(), []).append(str(number))
    return [
        f"Columns {', '.join(numbers[:-1])} and {numbers[-1]} have the same name."
        for numbers in places.values()
        if len(numbers) > 1
    ]
