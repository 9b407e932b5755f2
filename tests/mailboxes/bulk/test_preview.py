from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purelymanage.mailboxes.bulk.preview import (
    Account,
    Known,
    Line,
    Preview,
    Verdict,
    preview,
)
from purelymanage.mailboxes.bulk.wanted import LABELS, TARGETS, Defaults
from purelymanage.sheets.columns import guess
from purelymanage.sheets.reading import Row, Sheet, read

GOOD = "nine-blue-canaries-sang"
ANNA = Known(
    reset_allowed=True,
    search_indexing=False,
    recovery=frozenset({"a.lind@mail.example", "+491701234567"}),
    tags=("sales",),
)
ACCOUNT = Account(
    mailboxes={
        "anna@example.org": ANNA,
        "new.here@example.org": Known(),
        "old.name@plus.example": Known(),
    },
    domains={"example.org": False, "plus.example": True, "leaving.example": False},
    frozen=frozenset({"gone@example.org", "leaving.example"}),
    asked=frozenset({"soon@example.org"}),
    count=3,
)
FROM_FILE = Defaults(passwords_from_file=True)


def look(
    text: str,
    defaults: Defaults | None = None,
    *,
    account: Account = ACCOUNT,
    columns: Mapping[int, str] | None = None,
    rating_seconds: float = 5,
) -> Preview:
    sheet = read(text.encode())
    if columns is None:
        columns = guess(sheet.header, TARGETS, sheet.rows).columns
    return preview(
        sheet,
        columns,
        defaults=defaults or Defaults(),
        account=account,
        rating_seconds=rating_seconds,
    )


def row(header: str, cells: str, defaults: Defaults | None = None) -> Line:
    (line,) = look(f"{header}\n{cells}\n", defaults).lines
    return line


def faults(line: Line) -> list[tuple[str, int | None, str]]:
    return [(it.target, it.column, it.sentence) for it in line.faults]


def fault(header: str, cells: str, defaults: Defaults | None = None) -> str:
    line = row(header, cells, defaults)
    assert (line.verdict, line.wanted) == (Verdict.ERROR, None)
    (found,) = line.faults
    return found.sentence


class TestNew:
    def test_a_row_becomes_a_mailbox_with_the_defaults(self) -> None:
        defaults = Defaults(domain="example.org", search_indexing=False, tags=("new",))
        line = row("Username", " Zoe ", defaults)
        assert line.verdict == Verdict.NEW
        assert line.address == "zoe@example.org"
        assert line.wanted is not None
        assert line.wanted.wishes == {
            "reset_allowed": True,
            "search_indexing": False,
            "tags": ["new"],
            "sets_password": True,
        }

    def test_a_row_says_more_than_the_defaults(self) -> None:
        line = row(
            "Email,Recovery email,Recovery phone,Reset allowed,Search indexing,Tags",
            'zoe@EXAMPLE.org,Z@mail.example,0049 (0)170 123-4567,nein,1,"a; b c,a"',
        )
        assert line.wanted is not None
        assert line.wanted.wishes == {
            "reset_allowed": False,
            "search_indexing": True,
            "recovery_email": "Z@mail.example",
            "recovery_phone": "+491701234567",
            "tags": ["a", "b c"],
            "sets_password": True,
        }

    def test_a_password_comes_from_the_file_where_wanted(self) -> None:
        line = row("Email,Password", f"zoe@example.org,{GOOD}", FROM_FILE)
        assert line.wanted is not None
        assert line.wanted.password == GOOD
        assert GOOD not in repr(line)
        assert GOOD not in str(line.wanted.wishes)

    def test_a_password_that_begins_like_a_formula_is_a_password(self) -> None:
        line = row("Email,Password", f"zoe@example.org,={GOOD}", FROM_FILE)
        assert line.wanted is not None
        assert line.wanted.password == f"={GOOD}"

    def test_what_our_own_exports_protect_is_read_as_meant(self) -> None:
        line = row("Email,Recovery phone", "zoe@example.org,'+49 170 1234567")
        assert line.wanted is not None
        assert line.wanted.recovery_phone == "+491701234567"


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("", "There is no address."),
        ("zoe", "There is no domain. Choose one"),
        ("zoe@", "There is no domain. Choose one"),
        ("@example.org", "It begins with “@”, as formulas do."),
        ("=1+1@example.org", "It begins with “=”, as formulas do."),
        ("'=1+1@example.org", "It begins with “=”, as formulas do."),
        ("zoe@@example.org", "There is more than one @ in it."),
        ("zoë@example.org", "Use letters without accents"),
        ("zoe ng@example.org", "An address has no spaces"),
        ("Zoe <zoe@example.org>", "An address has no spaces"),
        ("zoe..ng@example.org", "its dots stand between other characters"),
        ("z\u200boe@example.org", "nobody sees: zero width space."),
        ("\ufeffzoe@example.org", "nobody sees: zero width no-break space."),
        ("zoe@nowhere.example", "nowhere.example is no domain of this account."),
        ("zoe.ng@plus.example", "Leave out the “.”: subaddressing is on"),
        ("gone@example.org", "gone@example.org is to be deleted and frozen"),
        ("zoe@leaving.example", "leaving.example is to be deleted and frozen"),
        ("soon@example.org", "has been asked to create soon@example.org already"),
        ("x" * 65 + "@example.org", "At most 64 characters"),
        ("zoe@" + "example." * 40, "The whole address is too long."),
    ],
)
def test_addresses_that_cannot_be(address: str, says: str) -> None:
    assert says in fault("Name,Email", f'Zoe,"{address}"')
    line = row("Name,Email", f'Zoe,"{address}"')
    assert (line.faults[0].target, line.faults[0].column) == ("address", 1)
    assert line.faults[0].label == "address"


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("", "There is no password."),
        ("****", "only stands for a password"),
        ("#NAME?", "took it for a formula and lost it"),
        ("hunter2", "it has 7 characters"),
        ("Password1234", "This password is too weak: it would be guessed in"),
        ("zoe@example.org", "This password is too weak"),
        (f" {GOOD}", "begins or ends with a space"),
        (f"{GOOD}\u200b", "an invisible character"),
        ("x" * 201, "at most 200 characters"),
    ],
)
def test_passwords_that_cannot_be(password: str, says: str) -> None:
    said = fault("Email,Password", f'zoe@example.org,"{password}"', FROM_FILE)
    assert says in said
    assert not password.strip() or password not in said


def test_a_hash_is_no_password() -> None:
    header = "Email,Password,Password Hash Function [UPLOAD ONLY]"
    said = fault(header, f"zoe@example.org,{'ab01' * 10},SHA-1", FROM_FILE)
    assert "hash of a password" in said


@pytest.mark.parametrize(
    ("header", "cell", "says"),
    [
        ("Recovery email", "zoe", "This is no e-mail address."),
        ("Recovery email", "Zoe@example.org", "Somebody who cannot open"),
        ("Recovery email", "=1@mail.example", "as formulas do"),
        ("Recovery email", "z\u200b@mail.example", "nobody sees"),
        ("Recovery phone", "0170 1234567", "Write the number with its country"),
        ("Recovery phone", "4.92E+11", "Write the number with its country"),
        ("Reset allowed", "perhaps", "Write yes or no, or leave it empty."),
        ("Search indexing", "2", "Write yes or no, or leave it empty."),
        ("Tags", "x" * 31, "at most 30 characters"),
        ("Tags", "a;=1+1", "looks like a formula"),
    ],
)
def test_other_cells_that_mean_nothing(header: str, cell: str, says: str) -> None:
    line = row(f"Email,{header}", f'zoe@example.org,"{cell}"')
    assert says in line.faults[0].sentence
    assert line.faults[0].column == 1


def test_all_that_is_wrong_with_a_row_is_said_at_once() -> None:
    line = row("Email,Recovery email,Password", "zoe ng,x,short", FROM_FILE)
    assert [it.target for it in line.faults] == [
        "address",
        "recovery_email",
        "password",
    ]
    assert all(it.label in LABELS.values() for it in line.faults)


def test_the_same_address_twice_is_an_error_the_second_time() -> None:
    first, second, third = look(
        "Email\nzoe@example.org\nZOE@example.org\nzoe@example.org\n"
    ).lines
    assert first.verdict == Verdict.NEW
    for line in (second, third):
        assert faults(line) == [("address", 0, "Line 2 has the same address.")]


def test_what_could_not_be_read_is_among_the_lines() -> None:
    seen = look("Email,Name\nzoe@example.org\nbert@example.org,Bert\n")
    assert [(it.number, it.verdict) for it in seen.lines] == [
        (2, Verdict.ERROR),
        (3, Verdict.NEW),
    ]
    assert "1 cell" in seen.lines[0].faults[0].sentence
    assert seen.counts == {
        Verdict.NEW: 1,
        Verdict.CHANGED: 0,
        Verdict.SAME: 0,
        Verdict.ERROR: 1,
    }


class TestExisting:
    def test_nothing_said_is_nothing_changed(self) -> None:
        defaults = Defaults(reset_allowed=False, search_indexing=True)
        line = row("Email,Recovery email", "Anna@example.org,", defaults)
        assert (line.verdict, line.changes) == (Verdict.SAME, [])

    def test_what_is_so_already_is_the_same(self) -> None:
        line = row(
            "Email,Recovery email,Recovery phone,Reset allowed,Tags",
            "anna@example.org,A.Lind@mail.example,+49 170 1234567,yes,sales",
        )
        assert line.verdict == Verdict.SAME

    def test_each_change_is_named(self) -> None:
        line = row(
            "Email,Recovery email,Reset allowed,Search indexing,Tags,Password",
            f'anna@example.org,new@mail.example,no,on,"berlin,sales",{GOOD}',
        )
        assert line.verdict == Verdict.CHANGED
        assert [(it.target, it.before, it.after) for it in line.changes] == [
            ("reset_allowed", "on", "off"),
            ("search_indexing", "off", "on"),
            ("recovery_email", "", "new@mail.example"),
            ("tags", "sales", "sales, berlin"),
        ]
        assert line.changes[0].label == "leave to reset the password"
        assert line.wanted is not None
        assert not line.wanted.sets_password
        assert not line.wanted.password

    def test_what_nobody_knows_yet_is_a_change(self) -> None:
        line = row("Email,Reset allowed", "new.here@example.org,yes")
        assert [(it.before, it.after) for it in line.changes] == [("", "on")]

    def test_a_password_is_changed_only_where_asked_for(self) -> None:
        defaults = replace(FROM_FILE, reset_existing=True)
        line = row("Email,Password", f"anna@example.org,{GOOD}", defaults)
        assert [(it.target, it.after) for it in line.changes] == [
            ("password", "a new one")
        ]
        assert line.wanted is not None
        assert line.wanted.password == GOOD

    def test_a_name_from_before_subaddressing_is_left_alone(self) -> None:
        assert row("Email", "old.name@plus.example").verdict == Verdict.SAME

    def test_existing_ones_can_be_refused(self) -> None:
        said = fault("Email", "anna@example.org", Defaults(change_existing=False))
        assert said == "anna@example.org exists already."

    def test_reading_a_file_again_changes_nothing(self) -> None:
        text = "Email,Reset allowed,Recovery email\nzoe@example.org,no,z@mail.example\n"
        (line,) = look(text).lines
        assert line.wanted is not None
        made = Known(
            reset_allowed=line.wanted.reset_allowed,
            search_indexing=line.wanted.search_indexing,
            recovery=frozenset({line.wanted.recovery_email}),
            tags=line.wanted.tags,
        )
        account = replace(
            ACCOUNT, mailboxes={**ACCOUNT.mailboxes, "zoe@example.org": made}
        )
        assert look(text, account=account).lines[0].verdict == Verdict.SAME


class TestRemarks:
    def test_more_than_purelymail_lists_is_told(self) -> None:
        account = replace(ACCOUNT, count=999)
        text = "Email\nzoe@example.org\nbert@example.org\n"
        (remark,) = look(text, account=account).remarks
        assert remark.startswith("The account would have 1\u202f001 mailboxes.")
        assert not look("Email\nzoe@example.org\n", account=account).remarks

    def test_passwords_that_are_not_used_are_told(self) -> None:
        text = f"Email,Password\nzoe@example.org,{GOOD}\nanna@example.org,{GOOD}\n"
        (remark,) = look(text).remarks
        assert remark.startswith("The passwords in the file are not used")
        (remark,) = look(text, FROM_FILE).remarks
        assert remark == "1 mailbox exists already; their passwords stay as they are."

    def test_passwords_that_rows_share_are_told(self) -> None:
        text = f"Email,Password\nzoe@example.org,{GOOD}\nbert@example.org,{GOOD}\n"
        (remark,) = look(text, FROM_FILE).remarks
        assert remark == "2 rows have a password that another row has, too."

    def test_passwords_that_there_is_no_time_to_rate_are_told(self) -> None:
        text = f"Email,Password\nzoe@example.org,{GOOD}\nbert@example.org,hunter2\n"
        seen = look(text, FROM_FILE, rating_seconds=-1)
        assert [it.is_unrated for it in seen.lines] == [True, False]
        assert seen.remarks[0].startswith("1 password is not rated yet.")


def test_a_file_without_header_is_understood() -> None:
    seen = look("Zoe,zoe@example.org\nBert,bert@example.org\n")
    assert [it.address for it in seen.lines] == ["zoe@example.org", "bert@example.org"]


def test_targets_are_never_confused_by_their_own_names() -> None:
    names = [name for target in TARGETS for name in target.names]
    assert len(names) == len(set(names))


cells = st.lists(
    st.sampled_from(["", "a@example.org", "anna@example.org", "yes", "+49", "****"])
    | st.text(max_size=12),
    min_size=len(TARGETS),
    max_size=len(TARGETS),
)


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(cells, max_size=4), from_file=st.booleans())
def test_each_row_gets_a_line_with_a_verdict_and_a_reason(
    *, rows: list[list[str]], from_file: bool
) -> None:
    sheet = Sheet(
        file_name="",
        encoding="UTF-8",
        delimiter=",",
        header=tuple(it.name for it in TARGETS),
        header_lines=1,
        rows=tuple(Row(it, it, tuple(row)) for it, row in enumerate(rows, 2)),
        problems=(),
        remarks=(),
        lines=len(rows) + 1,
        empty_lines=0,
    )
    seen = preview(
        sheet,
        {number: target.name for number, target in enumerate(TARGETS)},
        defaults=Defaults(domain="example.org", passwords_from_file=from_file),
        account=ACCOUNT,
    )
    assert [it.number for it in seen.lines] == [it.line for it in sheet.rows]
    for line in seen.lines:
        assert bool(line.faults) == (line.verdict == Verdict.ERROR)
        assert (line.wanted is None) == (line.verdict == Verdict.ERROR)
        assert bool(line.changes) == (line.verdict == Verdict.CHANGED)
