from __future__ import annotations

import pytest

from purelymanage.imap.messages import Summary
from purelymanage.migrations.engines.pipeline.listing import Listing, Mark
from purelymanage.migrations.engines.pipeline.matching import find_pairs, find_present
from tests.effort import calls_of


def listing(*messages: tuple[str, int, int]) -> Listing:
    """Make a listing from names, sizes and dates."""
    made = Listing()
    for uid, (name, size, date) in enumerate(messages, start=1):
        header = f"Message-ID: <{name}@example.org>\r\n".encode()
        made.add(Summary(uid, size, date, header))
    return made


def present(source: Listing, there: Listing) -> list[int]:
    return list(find_present([source], there)[0])


def test_each_message_needs_a_counterpart_of_its_own() -> None:
    source = listing(("a", 1, 1), ("b", 1, 1), ("a", 1, 1), ("c", 1, 1))
    assert present(source, listing()) == [0, 0, 0, 0]
    assert present(source, listing(("a", 1, 1), ("x", 1, 1))) == [1, 0, 0, 0]
    assert present(source, listing(("c", 1, 1), ("a", 1, 1), ("a", 1, 1))) == [
        1,
        0,
        1,
        1,
    ]


def test_of_twins_the_one_that_is_like_what_is_there_is_present() -> None:
    source = listing(("a", 10, 1), ("a", 20, 1), ("a", 20, 2))
    assert present(source, listing(("a", 20, 2))) == [0, 0, 1]
    assert present(source, listing(("a", 20, 9))) == [0, 1, 0]
    assert present(source, listing(("a", 99, 2))) == [0, 0, 1]
    # Some servers report sizes and dates of their own, which is no new message
    assert present(source, listing(("a", 98, 8), ("a", 99, 9))) == [1, 1, 0]


def test_two_folders_share_the_counterparts() -> None:
    first, second = listing(("a", 1, 1), ("b", 1, 1)), listing(("a", 1, 1))
    found = find_present([first, second], listing(("a", 1, 1), ("b", 1, 1)))
    assert [list(rows) for rows in found] == [[1, 1], [0]]


def test_messages_may_come_out_of_order_and_twice() -> None:
    made = Listing()
    for uid in (5, 9, 7, 5, 7, 1):
        made.add(Summary(uid, uid * 10, 0, b"Message-ID: <%d>\r\n" % uid))
    assert list(made.uids) == [1, 5, 7, 9]
    assert list(made.sizes) == [10, 50, 70, 90]
    ordered = Listing()
    for uid in (1, 5, 7, 9):
        ordered.add(Summary(uid, uid * 10, 0, b"Message-ID: <%d>\r\n" % uid))
    assert list(made.identities()) == list(ordered.identities())


def test_poor_messages_are_identified_later() -> None:
    first, second = Listing(), Listing()
    for made, header in ((first, b"Subject: a\r\n"), (second, b"Subject: b\r\n")):
        made.add(Summary(1, 10, 0, b""))
        made.add(Summary(2, 10, 0, b"Message-ID: <x>\r\n"))
        assert made.unidentified == {1}
        made.identify(Summary(1, 10, 0, header))
        assert not made.unidentified
    assert present(first, second) == [0, 1]


def poor(*messages: tuple[int, int]) -> Listing:
    """Make a listing of messages without any header from sizes and dates."""
    made = Listing()
    for uid, (size, date) in enumerate(messages, start=1):
        made.add(Summary(uid, size, date, b""))
        made.identify(Summary(uid, size, date, b""))
    return made


def test_of_poor_messages_size_or_date_has_to_agree() -> None:
    source = poor((10, 1), (10, 2), (20, 3))
    # A server that ends lines in its own way, and one that forgets dates
    assert present(source, poor((11, 1), (11, 2), (21, 3))) == [1, 1, 1]
    assert present(source, poor((10, 9), (10, 9), (20, 9))) == [1, 1, 1]
    assert present(source, poor((10, 9))) == [1, 0, 0]
    assert present(source, poor((10, 2))) == [0, 1, 0]
    assert present(source, poor((11, 9), (21, 9), (12, 8))) == [0, 0, 0]


@pytest.mark.slow
def test_four_times_the_poor_messages_are_four_times_the_work() -> None:
    def compare(number: int) -> None:
        many = poor(*((10, n % 7) for n in range(number)))
        found = present(many, poor(*((11, 3) for _ in range(number))))
        assert sum(found) == sum(n % 7 == 3 for n in range(number))
        assert len(find_pairs([many], many)[0]) == number

    few, many = calls_of(lambda: compare(500)), calls_of(lambda: compare(2_000))
    assert many < 4.5 * few


def test_what_was_known_survives_a_second_reading() -> None:
    earlier = listing(("a", 1, 1), ("b", 1, 1))
    earlier.marks[1] = Mark.CONFIRMED
    again = listing(("a", 1, 1), ("b", 1, 1), ("c", 1, 1))
    again.remember(earlier)
    assert list(again.marks) == [Mark.UNKNOWN, Mark.CONFIRMED, Mark.UNKNOWN]

    # Under a new UIDVALIDITY the same numbers mean other messages
    again.uid_validity = 5
    again.marks[:] = bytes(3)
    again.remember(earlier)
    assert list(again.marks) == [Mark.UNKNOWN] * 3
