"""What a plan comes to: how much, how long, and at what price. No questions asked here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from math import ceil

from purelymanage.migrations import estimates
from purelymanage.migrations.models import Run, RunFolder

# Dollars a year for a GB at PurelyMail, which counts mail as it is compressed.
PRICE_OF_A_GB = Decimal("0.56")
GB = 10**9
# What PurelyMail takes in one message, as somebody found out.
MOST_OF_A_MESSAGE = 51_200_000
CENT = Decimal("0.01")
# Too few messages say nothing about the pace.
ENOUGH_MESSAGES = 50
LIMIT = re.compile(r"larger than the limit of ([\d\s]+) bytes")


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a server lets itself be copied from, a second."""

    messages: float
    bytes: float
    is_measured: bool = True


# Where nothing was copied yet: what a slow provider gives to a single connection.
ASSUMED = Speed(messages=20, bytes=1_000_000, is_measured=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    messages: int
    bytes: int
    already_there: int
    new_folders: tuple[str, ...]
    largest: int
    # The most that a message may have, as far as anybody said so.
    limit: int | None
    too_large: int
    flags_only: bool
    duration: timedelta
    speed: Speed
    # By what a server gives out a day; 1 if that does not matter.
    days: int
    # Dollars a year; None where the mail goes elsewhere.
    cost: Decimal | None
    credit: Decimal | None

    @property
    def is_over_limit(self) -> bool:
        return self.limit is not None and self.largest > self.limit

    @property
    def time(self) -> str:
        if self.days > 1:
            return f"about {self.days} days"
        return estimates.in_words(self.duration)

    @property
    def time_reason(self) -> str:
        """On what the duration rests."""
        if self.days > 1:
            return "by what this server gives out a day"
        if self.speed.is_measured:
            return "at the pace of earlier copies"
        return f"if it gives out {self.speed.messages:g} messages a second"

    @property
    def price(self) -> str:
        """The cost as it is written, cents being the least."""
        if self.cost is None:
            return ""
        if 0 < self.cost < CENT:
            return "less than $0.01"
        return f"${self.cost.quantize(CENT)}"

    @property
    def is_too_dear(self) -> bool:
        """Whether the credit would not last for the storage of a year."""
        if self.cost is None or self.credit is None:
            return False
        return self.cost > self.credit


def draw_up(
    run: Run,
    folders: Iterable[RunFolder],
    *,
    speed: Speed,
    reasons: Sequence[str] = (),
    credit: Decimal | None = None,
) -> Plan:
    """Put together what a dry run found; `reasons` are why messages stay behind."""
    job = run.job
    flags_only = bool(job.options.get("flags_only"))
    told = [int(re.sub(r"\s", "", it[1])) for it in map(LIMIT.search, reasons) if it]
    limits = [*told, job.options.get("max_message_bytes")]
    cost = None
    if job.destination_server_id is None:
        limits.append(MOST_OF_A_MESSAGE)
        cost = PRICE_OF_A_GB * run.bytes_to_copy / GB
    return Plan(
        messages=run.to_copy,
        bytes=run.bytes_to_copy,
        already_there=run.already_there,
        new_folders=() if flags_only else _new(folders),
        largest=run.largest,
        limit=min((it for it in limits if it), default=None),
        too_large=sum(bool(LIMIT.search(it)) for it in reasons),
        flags_only=flags_only,
        duration=_duration(run, speed),
        speed=speed,
        days=_days(run),
        cost=cost,
        credit=credit,
    )


def speed_of(runs: Iterable[Run]) -> Speed:
    """Return the pace of earlier copies, or what is assumed where there are none."""
    seconds = messages = size = 0.0
    for run in runs:
        moving = [it for it in run.samples if it[1]]
        still = [it for it in run.samples if not it[1]]
        if not moving:
            continue
        begin, end = (still or moving)[-1 if still else 0], moving[-1]
        if end[0] <= begin[0] or end[1] - begin[1] < ENOUGH_MESSAGES:
            continue
        seconds += end[0] - begin[0]
        messages += end[1] - begin[1]
        size += end[2] - begin[2]
    if not seconds:
        return ASSUMED
    return Speed(messages / seconds, size / seconds)


def _new(folders: Iterable[RunFolder]) -> tuple[str, ...]:
    """Return the folders to be created, each once, whatever goes into it."""
    names = [it.destination for it in folders if not it.exists and it.destination]
    return tuple(dict.fromkeys(names))


def _duration(run: Run, speed: Speed) -> timedelta:
    options = run.job.options
    rates = [run.job.server.messages_a_second, options.get("messages_a_second")]
    most = min((it for it in rates if it), default=speed.messages)
    seconds = max(
        run.to_copy / min(most, speed.messages),
        run.bytes_to_copy / speed.bytes if speed.bytes else 0,
    )
    return timedelta(seconds=seconds)


def _days(run: Run) -> int:
    server = run.job.server
    limits = [it for it in (server.bytes_a_day, server.bytes_a_day_each) if it]
    return ceil(run.bytes_to_copy / min(limits)) if limits else 1
