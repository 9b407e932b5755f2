"""How far somebody is, as their own link shows it.

What strangers can do by the link for everybody must not look as if nothing were left to
do: it counts once it is proved that it was the owner, or that it was wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from purelymanage.migrations.campaigns.own_copy import is_copied
from purelymanage.migrations.models import Job, Participant, Submission

State, CameBy = Submission.State, Submission.CameBy


@dataclass(frozen=True, slots=True)
class Standing:
    """`what` is right, kept, refused, left, needed, withdrawn, or nothing.

    `left` is what somebody entered for them by the link for everybody, as long as
    nobody knows whether it was they.
    """

    what: str = ""
    since: datetime | None = None
    has_copy: bool = False
    # Whether nothing is left to do with a password.
    is_copied: bool = False
    # Whether something is stored that they may take back.
    can_withdraw: bool = False

    @property
    def hides_form(self) -> bool:
        return self.what in {"right", "kept"}


def of(participant: Participant) -> Standing:
    job, has_copy = participant.job, participant.has_copy
    everything = participant.submissions.order_by("-made_at", "-pk")
    newest = [it for it in everything if not it.is_doubtful or _is_copied_by(job, it)]
    what, since = _what(participant, newest, everything)
    # Where it was handed over again, it may only wait for its turn.
    is_there = any(_is_kept(it) or (_is_right(it) and it.secret) for it in newest)
    copied = job is not None and is_copied(job)
    needs_one = job is not None and job.needs_password and not copied
    if has_copy and needs_one and not is_there:
        what, since = "needed", since or participant.submitted_at
    return Standing(
        what,
        since,
        has_copy,
        is_copied=has_copy and copied,
        can_withdraw=not has_copy and any(it.secret for it in everything),
    )


def _what(
    participant: Participant,
    newest: Sequence[Submission],
    everything: Iterable[Submission],
) -> tuple[str, datetime | None]:
    def is_right(it: Submission) -> bool:
        # It is used up where there was a copy that somebody removed.
        return _is_right(it) and (bool(it.secret) or participant.has_copy)

    kinds: dict[str, Callable[[Submission], bool]] = {
        "right": is_right,
        "kept": _is_kept,
        "refused": lambda it: it.state in {State.REFUSED, State.UNANSWERED},
    }
    for what, is_so in kinds.items():
        for submission in filter(is_so, newest):
            return what, submission.made_at
    for submission in everything:
        if submission.secret:
            return "left", submission.made_at
    if participant.withdrawn_at is not None:
        return "withdrawn", participant.withdrawn_at
    return "", None


def _is_right(submission: Submission) -> bool:
    return submission.state == State.RIGHT


def _is_kept(submission: Submission) -> bool:
    """Whether it waits, and came by a link of one's own or from an administrator."""
    waits = submission.state in {State.WAITING, State.TRYING}
    return waits and submission.came_by != CameBy.SHARED


def _is_copied_by(job: Job | None, submission: Submission) -> bool:
    """Whether somebody has launched a copy with this very login."""
    if job is None or job.removed_at is not None:
        return False
    return job.source_user.casefold() == submission.source_user.casefold()
