"""Keeping what many hand over at the same moment in one transaction after the other.

Each transaction waits for the locks of those before it: with one for each of hundreds,
the last of them would wait too long.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.utils import timezone

from purelymanage.migrations.campaigns import limits
from purelymanage.migrations.operations.submissions import Offer, Over, keep_untried

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Item:
    offer: Offer
    done: threading.Event = field(default_factory=threading.Event)
    free_at: datetime | None = None
    problem: Exception | None = None


_lock = threading.Lock()
_items: list[_Item] = []
_somebody_writes = False


def let_go() -> None:
    """Give the connection to the database back while something else takes its time."""
    if not connection.in_atomic_block:
        connection.close()


def keep_with_others(offer: Offer) -> datetime | None:
    """Keep a password as soon as may be, unless a limit stands against it.

    Answers when to come back where it does, or where there is no room. Whoever comes
    first writes for all who came meanwhile.
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
    return item.free_at


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
        now = timezone.now()
        often = limits.too_often_of([it.offer.keys for it in items], now)
        for item, free_at in zip(items, often, strict=True):
            item.free_at = free_at
        allowed = [it.offer for it in items if it.free_at is None]
        left = keep_untried(offers=allowed, due_at=now) if allowed else []
        for item in items:
            if any(it is item.offer for it in left):
                item.free_at = now + limits.QUARTER
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
