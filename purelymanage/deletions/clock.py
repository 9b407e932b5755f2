from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.utils import timezone


def now() -> datetime:
    """Return the time that deletions go by: that of the clock which is behind.

    This machine and the database have one each, and either may be wrong. What is
    deleted too late can be deleted still.
    """
    return min(timezone.now(), of_database())


def of_database() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found
