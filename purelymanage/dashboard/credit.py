"""What the readings of the credit say: how fast it goes and when it is gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil, floor, log10

from django.utils import timezone
from django.utils.dateformat import format as written

from purelymanage.accounts.models import Organisation
from purelymanage.dashboard.models import CreditReading

SHOWN = timedelta(days=90)
# A shorter look back would take one day's charge for every day's.
ENOUGH = timedelta(days=2)
LOOK_BACK = timedelta(days=30)
FARTHEST = timedelta(days=5 * 365)


@dataclass(frozen=True)
class Credit:
    amount: Decimal
    attention: Decimal  # below these the panel warns
    critical: Decimal
    read_at: datetime
    per_day: Decimal | None
    runs_out_at: datetime | None
    chart: Chart | None

    @property
    def tone(self) -> str:
        if self.amount < self.critical:
            return "broken"
        if self.amount < self.attention:
            return "attention"
        return "good"


@dataclass(frozen=True)
class Chart:
    """Lines in a picture of 1000 by 100; single points and labels in per cent."""

    line: str
    area: str
    ahead: str  # the way down to nothing, as long as it fits
    limit: float
    now_x: float
    now_y: float
    end: float | None  # where the credit is gone, from the left
    grid: list[tuple[float, str]]
    days: list[tuple[float, str]]


def credit(organisation: Organisation, *, now: datetime | None = None) -> Credit | None:
    """Return what is known about the credit, or None before the first reading."""
    now = now or timezone.now()
    readings = list(
        CreditReading.objects.filter(read_at__gt=now - SHOWN).order_by("read_at", "pk")
    )
    if not readings:
        newest = CreditReading.objects.order_by("-read_at").first()
        readings = [newest] if newest else []
    if not readings:
        return None
    last = readings[-1]
    per_day = spending(readings)
    runs_out_at = None
    if per_day and last.amount > 0:
        left = timedelta(days=float(last.amount / per_day))
        runs_out_at = last.read_at + left if left < FARTHEST else None
    long_enough = last.read_at - readings[0].read_at >= ENOUGH
    return Credit(
        amount=last.amount,
        attention=organisation.credit_attention,
        critical=organisation.credit_critical,
        read_at=last.read_at,
        per_day=per_day,
        runs_out_at=runs_out_at,
        chart=draw(readings, runs_out_at, organisation) if long_enough else None,
    )


def newest_amount() -> Decimal | None:
    """Return the credit as it was last read."""
    newest = CreditReading.objects.order_by("-read_at").first()
    return newest.amount if newest else None


def spending(readings: list[CreditReading]) -> Decimal | None:
    """Return the dollars a day since the last top-up, at most over 30 days.

    None where the readings are too close together to tell, or nothing was spent.
    """
    last = first = readings[-1]
    for earlier in reversed(readings[:-1]):
        if earlier.amount < first.amount:
            break  # topped up in between
        if last.read_at - earlier.read_at > LOOK_BACK:
            break
        first = earlier
    span = last.read_at - first.read_at
    spent = first.amount - last.amount
    if span < ENOUGH or spent <= 0:
        return None
    return spent / Decimal(span / timedelta(days=1))


def draw(
    readings: list[CreditReading],
    runs_out_at: datetime | None,
    organisation: Organisation,
) -> Chart:
    start, last = readings[0].read_at, readings[-1]
    known = last.read_at - start
    # At most three quarters for what comes: far ends leave the picture.
    end = last.read_at
    if runs_out_at:
        farthest = start + max(known * 4, timedelta(days=14))
        end = min(runs_out_at + (runs_out_at - start) * 0.12, farthest)
    top, step = _scale(max(float(reading.amount) for reading in readings))

    def x(at: datetime) -> float:
        return round((at - start) / (end - start) * 1000, 2)

    def y(amount: float) -> float:
        return round(100 - min(max(amount / top, 0), 1) * 100, 2)

    points: list[str] = []
    before = 0.0
    for reading in readings:
        if points and float(reading.amount) > before:
            # A top-up happens at once, and not bit by bit since the reading before.
            points.append(f"{x(reading.read_at)} {y(before)}")
        points.append(f"{x(reading.read_at)} {y(float(reading.amount))}")
        before = float(reading.amount)
    line = "M" + " ".join(points)
    now = (x(last.read_at), y(float(last.amount)))
    ahead = ""
    if runs_out_at:
        gone = min(runs_out_at, end)
        share = (runs_out_at - gone) / (runs_out_at - last.read_at)
        ahead = f"M{now[0]} {now[1]} L{x(gone)} {y(float(last.amount) * share)}"
    return Chart(
        line=line,
        area=f"{line} L{now[0]} 100 L0 100 Z",
        ahead=ahead,
        limit=y(float(organisation.credit_attention)),
        now_x=round(now[0] / 10, 2),
        now_y=now[1],
        end=round(x(runs_out_at) / 10, 2)
        if runs_out_at and runs_out_at < end
        else None,
        grid=[(y(step * n), f"${step * n:g}") for n in range(1, round(top / step) + 1)],
        days=_days(start, end),
    )


def _scale(largest: float) -> tuple[float, float]:
    """Return a round top above `largest` and the step of its grid."""
    rough = max(largest, 1.0) / 3
    size = 10 ** floor(log10(rough))
    step = next(n * size for n in (1, 2, 5, 10) if n * size >= rough)
    return step * ceil(largest / step or 1), step


def _days(start: datetime, end: datetime) -> list[tuple[float, str]]:
    count = 6
    return [
        (
            round(100 * n / count, 2),
            written(timezone.localtime(start + (end - start) * n / count), "j M"),
        )
        for n in range(count)
    ]
