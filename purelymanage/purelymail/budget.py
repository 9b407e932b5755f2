"""How often PurelyMail may be asked, by all processes of the panel together.

Six calls at once, then one a second. The bucket and the count of calls lie in the
cache, which is a table; a lock of the database makes reading and writing them one
step, and its clock is the one that counts.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta

from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from purelymanage.purelymail.errors import NotSent

BURST = 6
SECONDS_A_CALL = 1.0

LOCK = 0x9E1A_B0D6  # any number that nobody else locks
BUCKET = "purelymail:bucket"
KEPT_HOURS = 24


def spend(operation: str, *, patience: float) -> None:
    """Wait for one call's turn, at most `patience` seconds, and count the call."""
    wait = _reserve(operation, patience)
    if wait > 0:
        time.sleep(wait)


# Durable, so that a call inside a transaction fails at once instead of holding rows
# locked while the network is waited for.
@transaction.atomic(durable=True)
def _reserve(operation: str, patience: float) -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        # Not in one statement: its clock would be read before the lock is had.
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        now = float(cursor.fetchone()[0])

    # The moment at which the bucket is full again stands for what is in it.
    full_at = max(cache.get(BUCKET, 0.0), now) + SECONDS_A_CALL
    wait = float(full_at - now - BURST * SECONDS_A_CALL)
    if wait > patience:
        raise NotSent(
            "The panel is asking PurelyMail a lot at the moment. Try again in a minute."
        )
    cache.set(BUCKET, full_at, timeout=3600)

    hour = _key(0)
    counts: Counter[str] = cache.get(hour) or Counter()
    counts[operation] += 1
    cache.set(hour, counts, timeout=(KEPT_HOURS + 1) * 3600)
    return wait


def calls_by_hour(hours: int = KEPT_HOURS) -> list[Counter[str]]:
    """Return the calls per operation of the last hours, the present one first."""
    keys = [_key(ago) for ago in range(hours)]
    found = cache.get_many(keys)
    return [found.get(key, Counter()) for key in keys]


def _key(hours_ago: int) -> str:
    hour = timezone.now() - timedelta(hours=hours_ago)
    return f"purelymail:calls:{hour:%Y%m%d%H}"
