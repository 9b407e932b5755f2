from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purelymanage.imap import names
from purelymanage.imap.names import Namespace


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("INBOX", b"INBOX"),
        ("R&D", b"R&-D"),
        ("Entwürfe", b"Entw&APw-rfe"),
        ("~peter/mail/台北/日本語", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ("😀", b"&2D3eAA-"),
        ("&-", b"&--"),
    ],
)
def test_names_travel_in_modified_utf7(name: str, wire: bytes) -> None:
    assert names.encode(name) == wire
    assert names.decode(wire) == name


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        ("Entwürfe".encode(), "Entwürfe"),
        (b"Tom & Jerry", "Tom & Jerry"),
        (b"&!!!!-x", "&!!!!-x"),
        (b"&AA-", "&AA-"),
        (b"\xff", "\ufffd"),
    ],
)
def test_names_that_are_written_wrongly_can_be_read(wire: bytes, name: str) -> None:
    assert names.decode(wire) == name


@settings(max_examples=200)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_name_comes_back(name: str) -> None:
    assert names.decode(names.encode(name)) == name


@settings(max_examples=200)
@given(st.binary())
def test_any_name_on_the_wire_can_be_shown(wire: bytes) -> None:
    names.decode(wire)


def test_only_plain_text_can_be_quoted() -> None:
    assert names.quote(b'a "b" \\') == b'"a \\"b\\" \\\\"'
    assert names.quote(b"") == b'""'
    assert names.quote("ü".encode()) is None
    assert names.quote(b"line\r\nbreak") is None


@pytest.mark.parametrize(
    ("space", "name", "path"),
    [
        (Namespace("", "/"), "Archive/2019", ("Archive", "2019")),
        (Namespace("INBOX.", "."), "INBOX.Sent", ("Sent",)),
        (Namespace("INBOX.", "."), "INBOX", ("INBOX",)),
        (Namespace("", "."), "INBOX.Sub", ("INBOX", "Sub")),
        (Namespace("", ""), "flat/name", ("flat/name",)),
    ],
)
def test_a_path_has_neither_prefix_nor_separators(
    space: Namespace, name: str, path: tuple[str, ...]
) -> None:
    assert space.path(name) == path
    assert space.name(path) == name


def test_below_the_inbox_a_prefix_is_not_repeated() -> None:
    assert Namespace("INBOX.", ".").name(("INBOX", "Sub")) == "INBOX.Sub"
