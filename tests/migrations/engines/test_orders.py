from __future__ import annotations

from purelymanage.imap.folders import Folder
from purelymanage.imap.messages import Summary
from purelymanage.migrations.engines.base import FolderProgress
from purelymanage.migrations.engines.pipeline.listing import Listing, Mark
from purelymanage.migrations.engines.pipeline.orders import PARCEL, Order, Orders
from purelymanage.migrations.engines.pipeline.work import Job, Target


def target(name: str, *sizes: int) -> Target:
    """Return a folder of which all messages are missing."""
    listing = Listing()
    for uid, size in enumerate(sizes, start=1):
        header = b"Message-ID: <%d@%s>\r\n" % (uid, name.encode())
        listing.add(Summary(uid, size, 0, header))
        listing.marks[uid - 1] = Mark.MISSING
    progress = FolderProgress(name, name)
    job = Job(Folder(name.encode(), name, "/"), progress, listing)
    return Target(
        name.encode(), name, exists=True, subscribed=True, parents=(), jobs=[job]
    )


def name(order: Order | None) -> str:
    return order.target.name if order is not None else ""


def test_chunks_are_cut_by_bytes_and_a_large_message_is_one_by_itself() -> None:
    room = 3 * PARCEL + 100
    orders = Orders([target("a", 40, 40, 5_000_000, 30, 30, 30, 5)])
    order = orders.next(None)
    assert order is not None
    chunks = []
    while orders.next(order) is not None:
        chunks.append(order.cut(room, 200))
    assert chunks == [[0, 1], [2], [3, 4, 5], [6]]


def test_chunks_hold_so_many_messages_at_most() -> None:
    order = Orders([target("a", *[1] * 7)]).next(None)
    assert order is not None
    assert [len(order.cut(10**9, 3)) for _ in range(3)] == [3, 3, 1]


def test_only_what_is_missing_is_asked_for() -> None:
    folder = target("a", 1, 1, 1, 1)
    listing = folder.jobs[0].listing
    assert listing is not None
    listing.marks[1] = Mark.PRESENT
    listing.marks[2] = Mark.FAILED
    order = Orders([folder, target("empty")]).next(None)
    assert order is not None
    assert order.cut(10**9, 9) == [0, 3]


def test_connections_take_folders_of_their_own_and_then_share_the_fullest() -> None:
    orders = Orders([target("a", 1, 1), target("b", 1, 1, 1), target("c", 1)])
    first, second, third = (orders.next(None) for _ in range(3))
    assert [name(first), name(second), name(third)] == ["a", "b", "c"]
    assert third is not None
    third.cut(10**9, 9)
    assert name(orders.next(third)) == "b"
    assert orders.left == 5


def test_a_folder_that_failed_is_left() -> None:
    broken, whole = target("a", 1, 1), target("b", 1)
    orders = Orders([broken, whole])
    first = orders.next(None)
    broken.jobs[0].failed = True
    assert name(orders.next(first)) == "b"


def test_large_messages_can_be_counted() -> None:
    assert (
        Orders([target("a", 1, 5000, 4096), target("b", 9999)]).larger_than(4096) == 2
    )


def test_where_several_are_filled_all_of_them_come_along() -> None:
    orders = Orders([target("a", *[1] * 40), target("b", *[1] * 4), target("c", 1)])
    orders.spread = 2
    order, asked = None, ""
    while (order := orders.next(order)) is not None:
        order.cut(10**9, 4)
        asked += name(order)
    assert asked == "abcaaaaaaaaa"
