"""Keeping what many hand over at the same moment in one transaction after the other.

Each transaction waits for the locks of those before it: with one for each of hundreds,
the last of them would wait too long.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from dataclasses import dataclass, field

from django.db import connection
from django.utils import timezone

from purelymanage.migrations.operations.submissions import Offer, Over, keep_untried

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Item:
    offer: Offer
    done: threading.Event = field(default_factory=threading.Event)
    is_kept: bool = False
    problem: Exception | None = None


_lock = threading.Lock()
_items: list[_Item] = []
_somebody_writes = False


def let_go() -> None:
    """Give the connection to the database back while something else takes its time."""
    if not connection.in_atomic_block:
        connection.close()


def keep_with_others(offer: Offer) -> bool:
    """Keep a password as soon as may be, and tell whether there was room for it.

    Whoever comes first writes for all who came meanwhile.
    """
    global _somebody_writes
    item = _Item(offer)
    with _lock:
        _items.append(item)
        is_first, _somebody_writes = not _somebody_writes, True
    if is_first:
        _write_all()
    let_go()
    item.done.wait()
    if item.problem is not None:
        raise item.problem
    return item.is_kept


def _write_all() -> None:
    global _somebody_writes
    while True:
        with _lock:
            if not _items:
                _somebody_writes = False
                return
            taken = _items[:]
            _items.clear()
        # By server as well, as somebody may have changed that of a campaign meanwhile.
        together: dict[tuple[int, int], list[_Item]] = defaultdict(list)
        for item in taken:
            campaign = item.offer.campaign
            together[campaign.pk, campaign.server_id].append(item)
        for items in together.values():
            _write(items)


def _write(items: list[_Item]) -> None:
    try:
        offers = [it.offer for it in items]
        left = keep_untried(offers=offers, due_at=timezone.now())
        for item in items:
            item.is_kept = not any(it is item.offer for it in left)
    except Over as exc:
        for item in items:
            # Each raises one of its own: a traceback belongs to one thread.
            item.problem = Over(str(exc))
    except Exception as exc:
        # Whoever writes goes on for the others. Only the kind: the text might quote
        # anything.
        logger.error("Keeping passwords of owners: %s", type(exc).__name__)
        for item in items:
            item.problem = RuntimeError("A password could not be kept.")
    finally:
        for item in items:
            item.done.set()
