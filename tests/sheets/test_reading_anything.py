"""Random and mutated files: the reader answers with a sentence, and loses nothing."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from purelymanage.sheets.decoding import decode
from purelymanage.sheets.errors import Unreadable
from purelymanage.sheets.reading import Sheet, read
from purelymanage.sheets.records import split_lines

FILES = 5_000
GOOGLE = (
    "First Name [Required],Last Name [Required],Email Address [Required],"
    "Password [Required],Recovery Email,Recovery Phone [MUST BE IN THE E.164 FORMAT]\n"
    'Anna,"Lind, MA",anna@example.org,****,a.lind@mail.example,+4917012345\n'
    'Jürgen,"Groß ""Bud""",juergen@example.org,****,,\n'
    "Zoë,Ng,zoe@example.org,=1+1,zoe@mail.example,\n"
)
MICROSOFT = (
    "Display name,User principal name,Block credential,Proxy addresses\r\n"
    'Anna Lind,anna@example.org,False,"SMTP:anna@example.org+smtp:a@example.org"\r\n'
    'Bert Ek,bert@example.org,True,"smtp:bert@example.org\r\nSMTP:b@example.org"\r\n'
)
GERMAN = (
    "sep=;\r\nVorname;Nachname;E-Mail-Adresse;Kennwort\r\n"
    "Jörg;Weiß;joerg@example.org;geheim-2\r\n;;;\r\nÄnne;Öz;aenne@example.org;\r\n"
)
REAL = (
    GOOGLE,
    MICROSOFT,
    GERMAN,
    GOOGLE.replace(",", "\t"),
    "a@b.example\nc@d.example",
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252")
PIECES = (
    b'"',
    b'""',
    b",",
    b";",
    b"\t",
    b"\n",
    b"\r",
    b"\x00",
    b"\xff",
    b"\xef\xbb\xbf",
)
# What a reader may drop from what it read.
STRUCTURE = set('"\r\n ,;\t|')


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Do to a file what editors, mail programs and bad disks do."""
    # Mostly below the header: without one, there is little left to lose.
    spared = (data.find(b"\n") + 2) if chance.random() < 0.7 else 0
    head, data = data[:spared], data[spared:]
    for _ in range(chance.randint(0, 4)):
        at, to = sorted(chance.choices(range(len(data) + 1), k=2))
        piece = chance.choice(PIECES)
        data = chance.choice(
            [
                data[:at],
                data[:at] + data[to:],
                data[:to] + data[at:],
                data[:at] + piece + data[at:],
                data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :],
                data.replace(b'"', b"'") if chance.random() < 0.3 else data + piece,
                data.replace(b"\n", chance.choice([b"\r", b"\r\n", b"\n\n"])),
                data[at:to] * chance.randint(1, 3),
            ]
        )
    return head + data


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    text = draw(st.sampled_from(REAL))
    encoded = text.encode(draw(st.sampled_from(ENCODINGS)), errors="replace")
    # Faster than letting Hypothesis draw each choice, and just as repeatable.
    return mutate(encoded, random.Random(draw(st.integers(0, 2**32))))  # noqa: S311


tables = st.tuples(
    st.sampled_from(["", "A\n", "A,B\n", "A;B;C\r\n", "A\tB\r"]),
    st.text(alphabet="ab@.ü\"',;\t|\r\n \x00\u200b=", max_size=200),
).map("".join)
files = st.one_of(
    mutated(),
    mutated(),
    st.binary(max_size=300),
    tables.map(str.encode),
    st.tuples(tables, st.sampled_from(ENCODINGS)).map(
        lambda it: it[0].encode(it[1], errors="replace")
    ),
)


def check_nothing_is_lost(data: bytes, sheet: Sheet) -> None:
    lines = split_lines(decode(data)[0])
    spans = [(it.line, it.last_line) for it in sheet.rows]
    spans += [(it.line, it.last_line) for it in sheet.problems]
    taken = Counter(
        number for first, last in spans for number in range(first, last + 1)
    )
    assert set(taken.values()) <= {1}
    assert sheet.lines == len(lines)
    assert len(taken) + sheet.header_lines + sheet.empty_lines == sheet.lines
    assert sheet.records == len(sheet.rows) + len(sheet.problems) > 0
    assert all(problem.sentence.endswith(".") for problem in sheet.problems)

    # What the counts say is true: the letters of each line are in the row's cells.
    for row in sheet.rows:
        assert len(row.cells) == len(sheet.header)
        written = "".join(lines[row.line - 1 : row.last_line])
        assert letters(written) == letters("".join(row.cells))
    # Lines that are in no row and no problem hold the header, Excel's hint or nothing.
    left = [line for number, line in enumerate(lines, 1) if number not in taken]
    words = letters("".join(sheet.header)) if sheet.has_header else ""
    assert letters("".join(left)).lower() in (words.lower(), f"sep={words}".lower())


def letters(text: str) -> str:
    return "".join(it for it in text if it not in STRUCTURE and not it.isspace())


@pytest.mark.slow
@given(files)
@example(b'"')
@example(b"sep=")
@example(b"a,b\n1,2\x00")
@example(b"\xff\xfe")
@example(b'a\n"x""')
@settings(
    max_examples=FILES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_any_file_is_read_without_loss_or_refused_with_a_sentence(data: bytes) -> None:
    try:
        sheet = read(data)
    except Unreadable as exc:
        assert str(exc).endswith(".")
    else:
        check_nothing_is_lost(data, sheet)


cell = st.text(
    alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufffd"),
    max_size=12,
).map(lambda it: "\n".join(it.replace("\ufeff", "").splitlines()))


@pytest.mark.slow
@given(
    st.integers(2, 6).flatmap(
        lambda width: st.lists(
            st.lists(cell, min_size=width, max_size=width), min_size=1, max_size=8
        )
    ),
    st.sampled_from(",;\t|"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=200, deadline=None)
def test_what_spreadsheets_write_comes_back(
    rows: list[list[str]], delimiter: str, encoding: str, line_break: str
) -> None:
    header = [f"Name {it}" for it in range(len(rows[0]))]
    # Rows in which others may hide are named instead, as other tests say.
    rows = [
        row
        for row in rows
        if any(it.strip() for it in row)
        and sum(it.count(delimiter) for it in row if "\n" in it) < len(row) - 1
    ] or [header]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=line_break)
    writer.writerows([header, *rows])
    text = out.getvalue()
    try:
        sheet = read(text.encode(encoding), delimiter=delimiter)
    except Unreadable as exc:
        assert "not a text file" in str(exc)
        return
    assert list(sheet.header) == header
    assert [list(row.cells) for row in sheet.rows] == rows
