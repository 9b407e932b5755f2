from __future__ import annotations

import pytest

from purelymanage.migrations.engines.pipeline.identity import (
    is_weak,
    strong_key,
    weak_key,
)

HEADER = (
    b"Received: from a.example.org\r\n\tby b.example.org;  Mon, 3 Feb 2020\r\n"
    b"Received: from c.example.org\r\n"
    b"Message-ID: <1@example.org>\r\n"
)


@pytest.mark.parametrize(
    "other",
    [
        # Folded elsewhere, other blanks, other letters, another order, bare newlines
        HEADER.replace(b"\r\n\tby", b" by"),
        HEADER.replace(b":  Mon", b": Mon").replace(b"Received: ", b"Received:\t"),
        HEADER.replace(b"Message-ID", b"Message-Id").replace(b"Received", b"RECEIVED"),
        b"".join(reversed(HEADER.replace(b"\r\n\t", b" ").splitlines(keepends=True))),
        HEADER.replace(b"\r\n", b"\n"),
        HEADER + b"\r\n",
    ],
)
def test_what_servers_change_does_not_count(other: bytes) -> None:
    assert strong_key(other) == strong_key(HEADER) is not None


@pytest.mark.parametrize(
    "other",
    [
        HEADER.replace(b"<1@", b"<2@"),
        HEADER.replace(b"Received: from c.example.org\r\n", b""),
        HEADER.replace(b"b.example.org", b"d.example.org"),
    ],
)
def test_what_makes_another_message_counts(other: bytes) -> None:
    assert strong_key(other) != strong_key(HEADER)


def test_eight_bit_letters_may_have_been_replaced() -> None:
    first, second = (
        b"Message-ID: <a%s@example.org>\r\n" % c for c in (b"\xfc", b"\xe4")
    )
    assert strong_key(first) == strong_key(second)


@pytest.mark.parametrize("header", [b"", b"\r\n", b"Message-ID:\r\n", b" \r\n", b":"])
def test_a_header_that_says_nothing_has_no_strong_key(header: bytes) -> None:
    assert strong_key(header) is None


def test_a_poor_message_is_known_by_what_it_has() -> None:
    header = b"From: a@example.org\r\nSubject: nightly\r\n"
    assert weak_key(header) != weak_key(header.replace(b"nightly", b"daily"))
    assert weak_key(b"") == weak_key(b"\r\n")
    assert is_weak(weak_key(header))
    assert is_weak(weak_key(b""))
    key = strong_key(HEADER)
    assert key is not None
    assert not is_weak(key)
