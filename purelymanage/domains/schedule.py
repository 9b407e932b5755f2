"""When a domain is looked at again. Our own looks cost PurelyMail nothing."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
TOUCHED_FOR = 10 * MINUTE
# The workers come each minute; what is due a moment later would wait for two.
EACH_ROUND = timedelta(seconds=50)
# Between the looks at a domain that is red, first; then it is hourly for a day.
RED = tuple(minutes * MINUTE for minutes in (5, 10, 20, 40))
THEN = timedelta(hours=1)
AT_LAST = timedelta(hours=6)
# An alert waits for a second look that agrees.
AGREES_AFTER = 10 * MINUTE


def next_look(
    now: datetime,
    *,
    name: str,
    is_green: bool,
    red_looks: int = 0,
    red_since: datetime | None = None,
    touched_at: datetime | None = None,
    turning_since: datetime | None = None,
) -> datetime:
    """Return when to look again at a domain that was looked at `now`.

    `red_looks` counts this look and those before it that found it red as well.
    """
    if is_green:
        next_at = daily_slot(name, now)
    else:
        next_at = now + backed_off(max(red_looks - 1, 0), now - (red_since or now))
    if turning_since is not None:
        next_at = min(next_at, max(turning_since + AGREES_AFTER, now + MINUTE))
    if touched_at is not None and now < touched_at + TOUCHED_FOR:
        next_at = min(next_at, now + EACH_ROUND)
    return next_at


def backed_off(times: int, lasting: timedelta) -> timedelta:
    """Return the pause after something went wrong `times` times before, in all so long.

    5, 10, 20, 40 minutes, then hourly for a day, then every six hours.
    """
    if times < len(RED):
        return RED[times]
    return THEN if lasting < DAY else AT_LAST


def daily_slot(name: str, now: datetime) -> datetime:
    """Return the next time of day that is this name's own, so that all are spread."""
    offset = timedelta(seconds=zlib.crc32(name.encode()) % int(DAY.total_seconds()))
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    slot = midnight + offset
    return slot if slot > now else slot + DAY
