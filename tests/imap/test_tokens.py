from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purelymanage.imap import responses
from purelymanage.imap.errors import ProtocolError
from purelymanage.imap.responses import Continue, Data, Status
from purelymanage.imap.tokens import MAX_NESTING, Omitted, literal_size, tokenize
from tests.effort import calls_of


def test_atoms_texts_and_lists_become_values() -> None:
    assert tokenize([rb'(\HasNoChildren) "/" "a \"b\" \\ c"']) == [
        [b"\\HasNoChildren"],
        b"/",
        b'a "b" \\ c',
    ]
    assert tokenize([b"NIL nil NILS ()"]) == [None, None, b"NILS", []]


def test_a_section_is_one_name() -> None:
    line = b"(UID 5 BODY[HEADER.FIELDS (MESSAGE-ID RECEIVED)] NIL BODY[]<0> NIL)"
    assert tokenize([line]) == [
        [
            b"UID",
            b"5",
            b"BODY[HEADER.FIELDS (MESSAGE-ID RECEIVED)]",
            None,
            b"BODY[]<0>",
            None,
        ]
    ]


def test_brackets_elsewhere_are_ordinary() -> None:
    assert tokenize([b'() "/" [Gmail]/Spam[']) == [[], b"/", b"[Gmail]/Spam["]


def test_literals_stand_where_they_were_announced() -> None:
    parts: list[bytes | Omitted] = [
        b"(BODY[] {4}",
        b'")( ',
        b" UID 7 X ~{9}",
        Omitted(9),
        b")",
    ]
    assert tokenize(parts) == [
        [b"BODY[]", b'")( ', b"UID", b"7", b"X", Omitted(9)],
    ]


@pytest.mark.parametrize(
    ("line", "size"),
    [
        (b"BODY[] {12}", 12),
        (b"BODY[] ~{12}", 12),
        (b"{0+}", 0),
        (b"{12} ", None),
        (b"{-1}", None),
        (b"{9999999999999999}", None),
        (b"}", None),
    ],
)
def test_the_end_of_a_line_may_announce_a_literal(
    line: bytes, size: int | None
) -> None:
    assert literal_size(line) == size


@pytest.mark.parametrize(
    "line",
    [b"(", b")", b'"open', b"BODY[open", b"a\x00b", b"(" * 40 + b")" * 40, b'"\\'],
)
def test_nonsense_is_refused(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        tokenize([line])


def test_lists_may_be_nested_a_little() -> None:
    assert tokenize([b"(" * MAX_NESTING + b")" * MAX_NESTING])


# What could make a pattern look at the same bytes again and again.
UNITS = [b"BODY[", b"[", b'"\\"', b"(", b"a(", b"\\", b"{"]


@pytest.mark.slow
@pytest.mark.parametrize("unit", UNITS)
def test_a_megabyte_of_anything(unit: bytes) -> None:
    line = unit * (1_000_000 // len(unit))
    began = time.process_time()
    with contextlib.suppress(ProtocolError):
        tokenize([line])
    # Half a second at most. With a square in it, minutes on any machine.
    assert time.process_time() - began < 10


@pytest.mark.parametrize("unit", UNITS)
def test_four_times_as_much_of_anything_is_four_times_the_work(unit: bytes) -> None:
    def read(times: int) -> None:
        with contextlib.suppress(ProtocolError):
            tokenize([unit * times])

    few, many = (calls_of(lambda n=n: read(n)) for n in (2_500, 10_000))  # type: ignore[misc]
    assert many < 4.5 * few


def test_the_three_kinds_of_response() -> None:
    assert responses.parse([b"* 3 FETCH (UID 9)"]) == Data("FETCH", 3, [[b"UID", b"9"]])
    assert responses.parse([b"* list () NIL inbox"]) == Data(
        "LIST", None, [[], None, b"inbox"]
    )
    assert responses.parse([b"+ go on"]) == Continue(b"go on")
    assert responses.parse([b"P1 NO [OVERQUOTA] Full"]) == Status(
        b"P1", "NO", "OVERQUOTA", b"", "Full"
    )
    assert responses.parse([b"* OK [PERMANENTFLAGS (\\Seen \\*)] Limited"]) == Status(
        b"", "OK", "PERMANENTFLAGS", b"(\\Seen \\*)", "Limited"
    )
    # Not all servers close what they open
    assert responses.parse([b"P1 OK [half done"]) == Status(
        b"P1", "OK", "", b"", "[half done"
    )


@pytest.mark.parametrize("line", [b"", b"P1", b"P1 MAYBE", b"hello world"])
def test_what_is_no_response_is_refused(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        responses.parse([line])


WORDS = b'* |1 |FETCH |(|)|"|\\\\|BODY[|]|NIL| |{3}|UID |OK |[|P1 |\xff|\0|+|7|LIST '
PIECES = st.sampled_from(WORDS.split(b"|"))


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(PIECES, st.binary(max_size=8)), max_size=40))
def test_any_line_is_parsed_or_refused(pieces: list[bytes]) -> None:
    with contextlib.suppress(ProtocolError):
        response = responses.parse([b"".join(pieces)])
        if isinstance(response, Data):
            responses.attributes(response)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=30), min_size=1, max_size=6))
def test_texts_survive_quoting_and_literals_anything(values: list[bytes]) -> None:
    parts: list[bytes | Omitted] = []
    text = b"("
    for value in values:
        text += b" {%d}" % len(value)
        parts += [text, value]
        text = b""
    assert tokenize([*parts, b")"]) == [values]
