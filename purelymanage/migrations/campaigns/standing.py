"""How far somebody is, as their own link shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from purelymanage.migrations.campaigns.own_copy import is_copied
from purelymanage.migrations.models import Participant, Submission

State = Submission.State


@dataclass(frozen=True, slots=True)
class Standing:
    """`what` is right, kept, refused, needed, withdrawn, or nothing; `since` when."""

    what: str = ""
    since: datetime | None = None
    has_copy: bool = False
    # Whether nothing is left to do with a password.
    is_copied: bool = False

    @property
    def hides_form(self) -> bool:
        return self.what in {"right", "kept"}


def of(participant: Participant) -> Standing:
    job = participant.job
    newest = list(participant.submissions.order_by("-made_at", "-pk"))
    what, since = _what(participant, newest)
    # Where it was handed over again, it may only wait for its turn.
    is_there = what == "kept" or any(it.secret for it in newest)
    copied = job is not None and is_copied(job)
    needs_one = job is not None and job.needs_password and not copied
    if participant.has_copy and needs_one and not is_there:
        what, since = "needed", since or participant.submitted_at
    has_copy = participant.has_copy
    return Standing(what, since, has_copy, is_copied=has_copy and copied)


def _what(
    participant: Participant, newest: Sequence[Submission]
) -> tuple[str, datetime | None]:
    for what, states in (
        ("right", {State.RIGHT}),
        ("kept", {State.WAITING, State.TRYING}),
        ("refused", {State.REFUSED, State.UNANSWERED}),
    ):
        for submission in newest:
            if submission.state in states:
                return what, submission.made_at
    if participant.withdrawn_at is not None:
        return "withdrawn", participant.withdrawn_at
    return "", None
