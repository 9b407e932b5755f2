"""How often PurelyMail may be asked, by all processes of the panel together.

Six calls at once, then one a second. A row of the database is the bucket, and the clock
of the database is the one that counts.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from purelymanage.purelymail.errors import NotSent
from purelymanage.purelymail.models import CallCount

BURST = 6
SECONDS_A_CALL = 1.0
KEPT_HOURS = 24
HOUR = timedelta(hours=1)

# Both are one step for the database, whoever else asks at the same time. Nobody waits
# for ten minutes: so full is a bucket only by a clock that was ahead.
TAKE = """
    INSERT INTO purelymail_bucket AS bucket (id, full_at)
    VALUES (1, clock_timestamp() + make_interval(secs => %(seconds)s))
    ON CONFLICT (id) DO UPDATE
    SET full_at = make_interval(secs => %(seconds)s) + CASE
        WHEN bucket.full_at > clock_timestamp() + interval '10 minutes'
        THEN clock_timestamp()
        ELSE greatest(bucket.full_at, clock_timestamp())
    END
    RETURNING extract(epoch FROM full_at - clock_timestamp())::float8
"""
COUNT = """
    INSERT INTO purelymail_callcount AS calls (hour, operation, number)
    VALUES (%s, %s, 1)
    ON CONFLICT (hour, operation) DO UPDATE SET number = calls.number + 1
    RETURNING number
"""


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
        cursor.execute(TAKE, {"seconds": SECONDS_A_CALL})
        wait = float(cursor.fetchone()[0]) - BURST * SECONDS_A_CALL
        if wait > patience:
            raise NotSent(
                "The panel is asking PurelyMail a lot at the moment. "
                "Try again in a minute."
            )
        hour = _hour(0)
        cursor.execute(COUNT, [hour, operation])
        if cursor.fetchone()[0] == 1:
            old = CallCount.objects.filter(hour__lt=hour - KEPT_HOURS * HOUR)
            old.delete()
    return wait


def calls_by_hour(hours: int = KEPT_HOURS) -> list[Counter[str]]:
    """Return the calls per operation of the last hours, the present one first."""
    found = {_hour(ago): Counter[str]() for ago in range(hours)}
    for row in CallCount.objects.filter(hour__in=found):
        found[row.hour][row.operation] = row.number
    return list(found.values())


def _hour(hours_ago: int) -> datetime:
    now = timezone.now() - hours_ago * HOUR
    return now.replace(minute=0, second=0, microsecond=0)
