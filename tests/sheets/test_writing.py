from __future__ import annotations

from collections.abc import Iterator

from purelymanage.sheets.reading import read
from purelymanage.sheets.writing import as_csv


def test_what_is_written_can_be_read() -> None:
    rows = [["anna@example.org", 'say "x", y'], ["=1+1", "two\nlines"]]
    text = "".join(as_csv(["Address", "Note"], rows))
    sheet = read(text.encode())
    assert sheet.header == ("Address", "Note")
    assert [list(row.cells) for row in sheet.rows] == [
        rows[0],
        ["'=1+1", "two\nlines"],
    ]


def test_it_is_written_line_by_line() -> None:
    asked = []

    def rows() -> Iterator[list[int]]:
        for number in range(3):
            asked.append(number)
            yield [number]

    lines = as_csv(["Number"], rows())
    assert next(lines) == "\ufeff"
    assert next(lines) == "Number\r\n"
    assert next(lines) == "0\r\n"
    assert asked == [0]
