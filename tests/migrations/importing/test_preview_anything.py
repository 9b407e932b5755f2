"""Whatever stands in a table, each of its records gets a line and none breaks it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.mailboxes.bulk.preview import Account, Known
from purelymanage.migrations.importing.columns import TARGETS
from purelymanage.migrations.importing.preview import (
    Surroundings,
    Verdict,
    preview,
)
from purelymanage.migrations.models import Server
from purelymanage.sheets.reading import Row, Sheet

NAMES = [target.name for target in TARGETS]
MAILBOX = "orders@shop.example"
CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "",
            " ",
            "a@old.example",
            MAILBOX,
            "new@shop.example",
            "orders",
            "'=x",
            "\u200b",
        ]
    ),
)


def sheet_of(cells: list[list[str]]) -> Sheet:
    return Sheet(
        file_name="",
        encoding="UTF-8",
        delimiter=",",
        header=tuple(NAMES),
        header_lines=1,
        rows=tuple(Row(n, n, tuple(row)) for n, row in enumerate(cells, 2)),
        problems=(),
        remarks=(),
        lines=len(cells) + 1,
        empty_lines=0,
    )


@settings(max_examples=150, deadline=None)
@given(
    cells=st.lists(
        st.lists(CELLS, min_size=len(NAMES), max_size=len(NAMES)), max_size=5
    ),
    columns=st.dictionaries(
        st.integers(0, len(NAMES) - 1), st.sampled_from(NAMES), max_size=len(NAMES)
    ),
    to_other=st.booleans(),
    creates_missing=st.booleans(),
    domain=st.sampled_from(["", "shop.example"]),
)
def test_every_record_gets_a_line(
    cells: list[list[str]],
    columns: dict[int, str],
    *,
    to_other: bool,
    creates_missing: bool,
    domain: str,
) -> None:
    surroundings = Surroundings(
        server=Server(name="Old", host="old.example"),
        destination_server=Server(name="Other", host="o.example") if to_other else None,
        person=User(email="adam@example.org", role=Role.ADMIN),
        account=Account(
            mailboxes={MAILBOX: Known()}, domains={"shop.example": True}, count=1
        ),
        domain=domain,
        creates_missing=creates_missing,
    )
    found = preview(sheet_of(cells), columns, surroundings)
    assert [line.number for line in found.lines] == list(range(2, len(cells) + 2))
    assert len(found.digest) == 64
    for line in found.lines:
        assert (line.verdict == Verdict.ERROR) == bool(line.faults)
    for line in found.ready:
        assert line.source and line.password and line.destination
        assert bool(line.destination_password) == to_other
        is_new = line.verdict == Verdict.NEW
        assert to_other or is_new == (line.destination != MAILBOX)
    pairs = [(it.source.lower(), it.destination.lower()) for it in found.ready]
    assert len(pairs) == len(set(pairs))
