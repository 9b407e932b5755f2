"""What the figures of a run say about its pace and its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from purelymanage.migrations.models import Run

# The pace is that of the last half minute, so that it does not jump about.
SMOOTHED_OVER = 30
LONGEST = timedelta(days=3650)
WIDTH, HEIGHT = 1000, 100

Samples = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Pace:
    messages: float = 0  # a second
    bytes: float = 0


def pace(samples: Samples) -> Pace:
    """Return how fast the copy has been lately."""
    if len(samples) < 2:
        return Pace()
    now, messages, size = samples[-1]
    earlier = [it for it in samples[:-1] if now - it[0] >= SMOOTHED_OVER]
    since, messages_then, size_then = earlier[-1] if earlier else _begun(samples)
    seconds = now - since
    if seconds <= 0:
        return Pace()
    return Pace((messages - messages_then) / seconds, (size - size_then) / seconds)


def percent(run: Run) -> int | None:
    """Return how much of the mailbox is there, by size; None while nobody knows.

    A hundred is only said when both sides have been compared.
    """
    return _percent(run, run.bytes - run.bytes_to_copy + run.bytes_copied, run.bytes)


def percent_of_messages(run: Run) -> int | None:
    """Return the same by messages: a few large ones may be most of the size."""
    return _percent(run, run.already_there + run.copied, run.messages)


def _percent(run: Run, there: int, total: int) -> int | None:
    if run.state == Run.State.DONE:
        return 100
    known = {Run.Phase.COPYING, Run.Phase.COMPARING, Run.Phase.DONE}
    if run.dry_run or run.phase not in known:
        return None
    return max(0, min(99, int(100 * there / total))) if total else 99


def time_left(run: Run) -> timedelta | None:
    """Return how long the rest takes at the present pace."""
    if run.state != Run.State.RUNNING or run.phase != Run.Phase.COPYING:
        return None
    if run.silent_since:
        return None
    return time_for(run.bytes_to_copy - run.bytes_copied, pace(run.last_samples))


def time_for(size: int, present: Pace) -> timedelta | None:
    """Return how long so many bytes take, None if nothing moves or hardly anything."""
    if present.bytes <= 0 or size / present.bytes > LONGEST.total_seconds():
        return None
    return timedelta(seconds=size / present.bytes)


def in_words(left: timedelta) -> str:
    """Write a duration as roughly as it is known."""
    minutes = round(left.total_seconds() / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 100:
        return f"about {minutes} minute{'' if minutes == 1 else 's'}"
    hours = round(minutes / 60)
    return f"about {hours} hours" if hours < 48 else f"about {round(hours / 24)} days"


@dataclass(frozen=True, slots=True)
class Chart:
    """Messages a second over time, drawn to fit 1000 by 100."""

    line: str
    area: str
    last: float
    begun_at: datetime | None
    most: float
    average: float


def chart(run: Run) -> Chart | None:
    """Draw the pace of a run, or return None while there is too little of it."""
    samples = [_begun(run.samples), *_moving(run.samples)] if run.samples else []
    if len(samples) < 3:
        return None
    begin, end = samples[0][0], samples[-1][0]
    rates = [
        (later[0], (later[1] - earlier[1]) / (later[0] - earlier[0]))
        for earlier, later in pairwise(samples)
        if later[0] > earlier[0]
    ]
    most = max((rate for _, rate in rates), default=0)
    if not most or len(rates) < 2:
        return None
    rates.insert(0, (begin, rates[0][1]))
    points = [
        f"{WIDTH * (at - begin) / (end - begin):.1f} {_height(rate, most):.1f}"
        for at, rate in rates
    ]
    line = "M" + " L".join(points)
    return Chart(
        line=line,
        area=f"{line} L{WIDTH} {HEIGHT} L0 {HEIGHT} Z",
        last=_height(rates[-1][1], most),
        begun_at=run.started_at + timedelta(seconds=begin) if run.started_at else None,
        most=most,
        average=(samples[-1][1] - samples[0][1]) / (end - begin),
    )


def _height(rate: float, most: float) -> float:
    return HEIGHT - 0.95 * HEIGHT * rate / most


def _begun(samples: Samples) -> Sequence[float]:
    """Return the last sample before the first message was copied."""
    still = [it for it in samples if not it[1]]
    return still[-1] if still else samples[0]


def _moving(samples: Samples) -> Samples:
    return [it for it in samples if it[1]]
