from __future__ import annotations

import codecs
import csv
import io
import zipfile

import pytest

from purelymanage.sheets import reading
from purelymanage.sheets.errors import Unreadable
from purelymanage.sheets.reading import Sheet, read
from purelymanage.sheets.records import LONGEST_CELL

TABLE = "Name,Address\nJürgen,juergen@example.org\nZoë,zoe@example.org\n"
CELLS = [("Jürgen", "juergen@example.org"), ("Zoë", "zoe@example.org")]


def cells(sheet: Sheet) -> list[tuple[str, ...]]:
    return [row.cells for row in sheet.rows]


def problem(data: str | bytes, number: int = 0) -> str:
    return str(read_text(data).problems[number])


def read_text(data: str | bytes) -> Sheet:
    return read(data.encode() if isinstance(data, str) else data)


def refusal(data: str | bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        read_text(data)
    return str(caught.value)


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "UTF-32"),
        ("cp1252", "Windows-1252"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_it_recognises_how_a_file_was_saved(
    encoding: str, name: str, delimiter: str, line_break: str
) -> None:
    text = TABLE.replace(",", delimiter).replace("\n", line_break)
    sheet = read(text.encode(encoding), "people.csv")
    assert (sheet.encoding, sheet.delimiter) == (name, delimiter)
    assert sheet.header == ("Name", "Address")
    assert cells(sheet) == CELLS
    assert [row.line for row in sheet.rows] == [2, 3]
    assert not sheet.problems
    assert not sheet.remarks


def test_big_endian_with_its_mark_is_read() -> None:
    data = codecs.BOM_UTF16_BE + TABLE.encode("utf-16-be")
    assert cells(read(data)) == CELLS


def test_it_tells_what_it_recognised() -> None:
    sheet = read(TABLE.replace(",", ";").encode("cp1252"))
    assert sheet.recognised == "Windows-1252, separated by semicolons"


def test_a_single_column_has_no_delimiter() -> None:
    sheet = read_text("Address\nanna@example.org\nbert@example.org\n")
    assert cells(sheet) == [("anna@example.org",), ("bert@example.org",)]


def test_a_comma_in_a_cell_does_not_divide_what_semicolons_divide() -> None:
    sheet = read_text("Name, first;Address\nA, Anna;anna@a.example\nB;b@a.example\n")
    assert sheet.delimiter == ";"
    assert cells(sheet)[0] == ("A, Anna", "anna@a.example")


def test_a_delimiter_may_be_asked_for() -> None:
    sheet = read(b"a;b,c\n1;2,3\n", delimiter=",")
    assert sheet.header == ("a;b", "c")


@pytest.mark.parametrize("hint", ["sep=;", "SEP=;", '"sep=;"', "sep=;;;"])
def test_it_obeys_what_excel_writes_into_the_first_line(hint: str) -> None:
    sheet = read_text(f"{hint}\r\na,x;b\r\n1,1;2\r\n")
    assert sheet.header == ("a,x", "b")
    assert (sheet.rows[0].line, sheet.empty_lines) == (3, 1)


def test_another_separator_is_named() -> None:
    assert "separated by something else" in refusal("sep=^\na^b\n1^2\n")


def test_quoted_cells_hold_anything() -> None:
    rows = [["a", "b"], ["x,y", 'say "hello"'], ["two\nlines", ""], [" padded ", '"']]
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(rows)
    sheet = read_text(out.getvalue())
    assert [sheet.header, *cells(sheet)] == [tuple(row) for row in rows]
    spans = [(row.line, row.last_line) for row in sheet.rows]
    assert spans == [(2, 2), (3, 4), (5, 5)]


def test_spaces_around_quotes_are_no_part_of_a_cell() -> None:
    assert cells(read_text('a,b\n1, "2, 3" \n')) == [("1", "2, 3")]


def test_a_quote_within_an_unquoted_cell_is_a_letter() -> None:
    assert cells(read_text('a,b\n6" pipe,2\n')) == [('6" pipe', "2")]


def test_a_quote_that_is_never_closed_is_named() -> None:
    sheet = read_text('a,b\n1,2\n3,"4\n5,6\n7,8\n')
    assert cells(sheet) == [("1", "2")]
    assert str(sheet.problems[0]) == (
        "Lines 3 to 5: The quote that opens in line 3, column 2, is never closed, so "
        "nothing after it could be read."
    )


@pytest.mark.parametrize(
    "text",
    [
        'n,a\n"Anna,a@a.example\nBert,b@a.example\nZoe",z@a.example\n',
        'n,f,a\n1,"Anna,a@a.example\n2,Bert",b@a.example\n',
    ],
)
def test_rows_within_a_quoted_cell_are_not_lost(text: str) -> None:
    sheet = read_text(text)
    assert not sheet.rows
    assert "may hold rows of its own" in str(sheet.problems[0])


def test_rows_within_the_header_are_not_lost() -> None:
    text = '"name,login\nAnna,anna\nBert",bert\nZoe,zoe\n'
    assert "may hold rows" in refusal(text)


def test_a_quoted_cell_may_have_several_lines() -> None:
    text = 'n,m,a\nAnna,"Street 1\nBerlin, DE",a@a.example\n'
    assert cells(read_text(text))[0][1] == "Street 1\nBerlin, DE"


def test_text_after_a_closing_quote_is_named() -> None:
    sheet = read_text('a,b\n"1"x,2\n3,4\n')
    assert cells(sheet) == [("3", "4")]
    assert str(sheet.problems[0]).startswith("Line 2: In column 1, something follows")
    assert sheet.problems[0].column == 0


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("1,2", "Line 3: The line has 2 cells, where there are 3 columns."),
        ("1", "Line 3: The line has 1 cell, where there are 3 columns."),
        ("1,2,3,4", "Line 3: The line has 4 cells, where there are 3 columns."),
    ],
)
def test_ragged_lines_are_named(line: str, says: str) -> None:
    sheet = read_text(f"a,b,c\n1,2,3\n{line}\n4,5,6\n")
    assert len(sheet.rows) == 2
    assert [str(it) for it in sheet.problems] == [says]


def test_a_second_cell_in_a_list_is_named() -> None:
    says = "The line has 2 cells, where there is 1 column."
    assert says in problem("Address\nanna@example.org,bert@example.org\n")


def test_cells_made_to_be_slow_are_read_at_once() -> None:
    slow = "a@" + "." * 9_000 + "@"
    sheet = read_text(f"{slow},{slow}\n" + f"{slow},x\n" * 60)
    assert len(sheet.rows) == 60


def test_empty_cells_at_the_end_say_nothing() -> None:
    assert cells(read_text("a,b\n1,2,,\n")) == [("1", "2")]


def test_empty_lines_are_counted() -> None:
    sheet = read_text("\n\na,b\n\n1,2\n,\n  \n3,4\n\n")
    assert len(sheet.rows) == 2
    assert (sheet.lines, sheet.empty_lines) == (9, 6)
    assert sheet.header_lines == 1


def test_nul_bytes_are_named_and_not_read() -> None:
    sheet = read(b"a,b\n1,2\x00\n3,4\n")
    assert cells(sheet) == [("3", "4")]
    assert problem(b"a,b\n1,2\x00\n") == (
        "Line 2: Column 2 has an invisible NUL character."
    )


def test_a_damaged_letter_is_named_and_does_not_change_the_encoding() -> None:
    sheet = read("a,b\nä,ö\nü,".encode() + b"\xff\n")
    assert sheet.encoding == "UTF-8"
    assert cells(sheet) == [("ä", "ö")]
    assert "A character in column 2 is damaged" in str(sheet.problems[0])


def test_half_a_letter_of_utf_16_is_named() -> None:
    sheet = read("a,b\n1,2\n3,4".encode("utf-16")[:-1])
    assert "Line 3: A character in column 2 is damaged" in str(sheet.problems[0])


def test_bytes_that_windows_1252_does_not_know_are_named() -> None:
    sheet = read(b"a,b\n\xe4,\x81\n")
    assert sheet.encoding == "Windows-1252"
    assert "damaged" in str(sheet.problems[0])


def test_huge_cells_are_named() -> None:
    huge = "x" * (LONGEST_CELL + 1)
    assert "longer than 10\u202f000 characters" in problem(f"a,b\n{huge},2\n")
    assert "longer than" in problem(f'a,b\n1,"{huge}"\n')


def test_too_many_cells_are_named() -> None:
    assert "more than 100 cells" in problem("a,b\n" + "," * 200 + "x\n")
    assert "more than 100 cells" in problem("a,b\n" + '"",' * 200 + "x\n")


def zipped(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, "x" * 100_000)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (zipped("xl/workbook.xml"), "This is an Excel workbook. Save it as CSV"),
        (zipped("people.csv"), "This is a compressed archive."),
        (zipped("word/document.xml"), "This is a Word document."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1..", "an Excel workbook of the old kind"),
        (b"%PDF-1.7\n", "This is a PDF document."),
        (b"\x1f\x8b\x08\x00", "This is a compressed archive."),
        (b"\n <!DOCTYPE html><table>", "This is a web page"),
        ("<html><body>".encode("utf-16"), "This is a web page"),
        (bytes(range(256)) * 8, "This is not a text file."),
    ],
)
def test_files_of_another_kind_are_named(data: bytes, says: str) -> None:
    assert says in refusal(data)


@pytest.mark.parametrize("data", ["", "\n\n", "\ufeff", " , ,\n", "sep=;\n"])
def test_empty_files_are_refused(data: str) -> None:
    assert refusal(data) == "This file is empty."


def test_a_header_alone_is_refused() -> None:
    assert refusal("Name,Address\n").startswith("This file has a header and no row")


def test_a_header_that_cannot_be_read_is_refused() -> None:
    assert "The quote that opens in line 1" in refusal('"Name,Address\nx,y\n')
    assert "more than 100 cells" in refusal("a," * 200 + "\n")


def test_a_first_line_with_an_address_is_a_row() -> None:
    sheet = read_text("Anna,anna@example.org\nBert,bert@example.org\n")
    assert not sheet.has_header
    assert sheet.header == ("Column 1", "Column 2")
    assert (len(sheet.rows), sheet.rows[0].line) == (2, 1)
    assert "taken for a row" in sheet.remarks[0]
    sheet = read(b"Anna,anna@example.org\nBert,bert@example.org\n", header=True)
    assert len(sheet.rows) == 1


def test_a_first_line_is_a_row_where_somebody_says_so() -> None:
    sheet = read(b"anna,geheim\nbert,geheim\n", header=False)
    assert (len(sheet.rows), sheet.remarks) == (2, ())


def test_equal_names_are_told() -> None:
    sheet = read_text("Email,Name,email , ,\n1,2,3,4,5\n")
    assert sheet.remarks == ("Columns 1 and 3 have the same name.",)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"x" * (reading.MOST_BYTES + 1), "at most 5.0\xa0MB are read at once"),
        (b"a\n" * (reading.MOST_ROWS + 2), "more than 10\u202f000 rows"),
        (b"\n" * (reading.MOST_LINES + 1), "more than 100\u202f000 lines"),
        (b"\n" * reading.MOST_BYTES, "more than 100\u202f000 lines"),
    ],
)
def test_bombs_are_refused_with_their_limit(data: bytes, says: str) -> None:
    assert says in refusal(data)


def test_what_fits_is_read() -> None:
    assert len(read(b"a\n" * (reading.MOST_ROWS + 1)).rows) == reading.MOST_ROWS


def test_formulas_stay_as_they_are() -> None:
    assert cells(read_text("a,b\n=1+1,@x\n")) == [("=1+1", "@x")]


def test_no_sentence_and_no_trace_shows_a_cell() -> None:
    sheet = read_text('a,b\nhunter2,x\n"hunter2"x,1\nhunter2\n1,2,hunter2\n"hunter2')
    assert len(sheet.problems) == 4
    assert "hunter2" not in repr(sheet)
