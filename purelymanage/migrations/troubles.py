"""What a person can do about a copy that did not go well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Max

from purelymanage.imap.errors import is_about_size
from purelymanage.migrations.engines import EngineUnavailable, get_engine
from purelymanage.migrations.failures import (
    is_about_fullness,
    is_about_speed,
    side_of,
)
from purelymanage.migrations.models import EngineChoice, Run

Trouble = Run.Trouble
ENGINES = {"pipeline": "imapsync", "imapsync": "pipeline"}
MOST_REASONS = 200
AGAIN = "Run it again: what is there already is not copied twice."
STEPS = {
    Trouble.PASSWORD: (
        "Ask the owner for the present password, and whether IMAP is switched on for "
        "the old mailbox. Enter it here, and the copy goes on."
    ),
    Trouble.CONNECTION: (
        "Test the server under Servers, then run it again. What is there already is "
        "not copied twice."
    ),
    Trouble.CERTIFICATE: (
        "Use the host name that the certificate was made for. Only if you know this "
        "server, switch the check off in its settings."
    ),
    Trouble.DESTINATION: (
        "Look whether the mailbox is still there, then run it again in a few minutes."
    ),
    Trouble.THROTTLED: (
        "Give the server fewer parallel copies or a lower rate under Servers, then run "
        "it again."
    ),
    Trouble.BUDGET: "It goes on by itself. Raise the limit under Servers if it may.",
    Trouble.QUOTA: (
        "Make room in the destination or raise its quota, then run it again. What is "
        "there already is not copied twice."
    ),
    Trouble.OVERSIZE: (
        "What is too large stays in the old mailbox. Ask the owner to save the "
        "attachments before it closes."
    ),
    Trouble.STALLED: (
        "See under Servers whether it answers, and run it again at a quieter hour."
    ),
    Trouble.PROTOCOL: AGAIN,
    Trouble.OTHER: AGAIN,
}
# Where it is put off, not ended.
WAITING = {
    Trouble.PASSWORD: (
        "It tries once more, as busy servers refuse right passwords too. If you know a "
        "newer one, enter it now."
    ),
    Trouble.THROTTLED: "It goes on by itself when the server allows it again.",
    Trouble.BUDGET: "It goes on by itself. Raise the limit under Servers if it may.",
}


def next_step(run: Run) -> str:
    """Return what to do where a run did not end well or was put off; "" otherwise."""
    if not run.trouble:
        return ""
    trouble = Trouble(run.trouble)
    if run.state == Run.State.QUEUED:
        return WAITING.get(trouble, "It tries again by itself.")
    if trouble == Trouble.OVERSIZE:
        return STEPS[trouble]
    if run.state != Run.State.FAILED:
        return ""
    if trouble == Trouble.PASSWORD and side_of(run.failure) == "destination":
        return (
            "Ask for the present password of the destination and enter it in the "
            "settings of this copy."
        )
    if engine := other_engine(run):
        name = NAMES[engine]
        if not run.engine:
            return f"Run it with {name}, or install imapsync on each worker host."
        return f"{name} may understand this server: run it again with {name}."
    return STEPS[trouble]


NAMES = {"pipeline": "the engine pipeline", "imapsync": "imapsync"}


def other_engine(run: Run) -> str:
    """Return the engine to offer where this one was of no use, or "".

    It did not understand a server, or is not installed.
    """
    if run.state != Run.State.FAILED or run.trouble != Trouble.PROTOCOL:
        return ""
    other = ENGINES.get(run.engine or _wanted_engine(run), "")
    if not other:
        return ""
    try:
        get_engine(other)
    except EngineUnavailable:
        return ""
    return other


def _wanted_engine(run: Run) -> str:
    """Return which engine was asked for where there was none of that name."""
    for choice in (run.job.engine, run.job.server.engine):
        if choice != EngineChoice.AUTO:
            return choice
    name: str = settings.MIGRATION_ENGINE
    return name


@dataclass(frozen=True, slots=True)
class Cause:
    """Why messages or folders were not copied, and what to do about it."""

    code: str
    sentence: str
    next_step: str


TOO_LARGE = Cause(
    "oversize", "Larger than the destination takes.", STEPS[Trouble.OVERSIZE]
)
FULL = Cause(
    "quota",
    "The destination is full.",
    "Make room in the new mailbox, then run it again.",
)
SLOWED = Cause(
    "throttled", "A server asked us to slow down.", "The next run tries again."
)
BROKEN = Cause(
    "broken",
    "The connection broke each time they were copied.",
    "Open them in the old mailbox: they may be damaged there. The next run tries "
    "again.",
)
NAMELESS = Cause(
    "nameless",
    "imapsync leaves out messages that have no identity of their own.",
    "Run it again with the engine pipeline, which copies them.",
)
NOT_GIVEN = Cause(
    "source",
    "The old server does not give them out.",
    "Open them in the old mailbox: they may be damaged there. The next run tries "
    "again.",
)
NOT_TAKEN = Cause(
    "destination",
    "The destination does not take them.",
    "The next run tries again. What its server says is below.",
)
NOT_THERE = Cause(
    "missing",
    "Not found at the destination after the copy.",
    "Run it again: what is there already is not copied twice.",
)
NO_FOLDER = Cause(
    "folder",
    "Folders that could not be opened or created.",
    "Map them to other names in the settings of this copy, then run it again.",
)
OTHERWISE = Cause("other", "Other reasons.", "The next run tries again.")


def cause_of(reason: str, *, is_folder: bool = False) -> Cause:
    """Return the cause that a stored reason belongs to."""
    words = reason.lower()
    if is_about_size(reason):
        return TOO_LARGE
    if is_about_fullness(reason):
        return FULL
    if is_about_speed(reason):
        return SLOWED
    if "connection broke" in words:
        return BROKEN
    if "message-id" in words:
        return NAMELESS
    if "not at the destination" in words:
        return NOT_THERE
    if is_folder or "folder" in words:
        return NO_FOLDER
    if words.startswith("the source"):
        return NOT_GIVEN
    return NOT_TAKEN if words.startswith("the destination") else OTHERWISE


@dataclass(frozen=True, slots=True)
class Group:
    """What was not copied for one cause; `reasons` are the servers' own words."""

    cause: Cause
    count: int
    folders: Sequence[str]
    are_folders: bool
    reasons: Sequence[str]


def by_cause(run: Run) -> list[Group]:
    """Return the errors of a run by cause, the most frequent first, in one query."""
    rows = (
        run.errors.values("reason")
        .annotate(
            count=Count("pk"), last=Max("uid"), names=ArrayAgg("folder", distinct=True)
        )
        .order_by("-count", "reason")[:MOST_REASONS]
    )
    found: dict[Cause, list[Any]] = {}
    for row in rows:
        cause = cause_of(row["reason"], is_folder=not row["last"])
        found.setdefault(cause, []).append(row)
    groups = [
        Group(
            cause=cause,
            count=sum(row["count"] for row in same),
            folders=sorted({name for row in same for name in row["names"]}),
            are_folders=not any(row["last"] for row in same),
            reasons=[row["reason"] for row in same],
        )
        for cause, same in found.items()
    ]
    return sorted(groups, key=lambda it: (-it.count, it.cause.code))
