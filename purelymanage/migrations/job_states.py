"""What has become of jobs, computed by the database from their logins and runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from django.db.models import (
    Case,
    CharField,
    Field,
    FilteredRelation,
    IntegerField,
    Max,
    Q,
    QuerySet,
    Value,
    When,
)

from purelymanage.migrations.models import Job, Run
from purelymanage.migrations.models.jobs import JobQuerySet
from purelymanage.migrations.models.runs import OPEN

Login, State, Trouble = Job.Login, Run.State, Run.Trouble


@dataclass(frozen=True, slots=True)
class JobState:
    """Where a job stands. `rank` puts what is not finished first."""

    code: str
    label: str
    tone: str
    rank: int
    when: Q

    @property
    def place(self) -> int:
        """A number that the database has done with sooner than with the code."""
        return A_RANK * self.rank + STATES.index(self)


def _newest(**columns: Any) -> Q:
    return Q(**{f"newest__{name}": value for name, value in columns.items()})


_UNDER_WAY = _newest(state__in=OPEN)
_RUNS = _newest(state=State.RUNNING)

# In the order of the bar. The first whose condition holds is the one, and the
# conditions are tried in the order of `_TRIED`.
STATES = (
    JobState("complete", "Complete", "good", 12, _newest(state=State.DONE)),
    JobState(
        "left_out",
        "Some left out",
        "attention",
        11,
        _newest(state=State.DONE, dry_run=False, verdict=Run.Verdict.SKIPPED),
    ),
    JobState("copying", "Copying", "running", 0, _RUNS & _newest(dry_run=False)),
    JobState("planning", "Planning", "running", 1, _RUNS & _newest(dry_run=True)),
    JobState("trying", "Being tried", "running", 2, Q(login=Login.TRYING)),
    JobState(
        "planned", "Plan ready", "waiting", 7, _newest(state=State.DONE, dry_run=True)
    ),
    JobState("queued", "Waiting", "waiting", 8, _newest(state=State.QUEUED)),
    JobState("untried", "Login not tried yet", "waiting", 9, Q(login=Login.WAITING)),
    JobState("idle", "Not begun", "waiting", 10, Q(newest=None)),
    JobState("stopped", "Stopped", "attention", 6, _newest(state=State.STOPPED)),
    JobState(
        "password",
        "Needs a password",
        "attention",
        3,
        # Where it was right since, the present password is known by now.
        _newest(state=State.FAILED, trouble=Trouble.PASSWORD) & ~Q(login=Login.RIGHT),
    ),
    JobState("not_let_in", "Not let in", "broken", 3, Q(login=Login.WRONG)),
    JobState(
        "no_answer", "No answer", "attention", 4, Q(login=Login.UNKNOWN, newest=None)
    ),
    JobState("failed", "Failed", "broken", 5, _newest(state=State.FAILED)),
)
BY_CODE = {it.code: it for it in STATES}
# Two states may have one rank.
A_RANK = 100
BY_PLACE = {it.place: it for it in STATES}
# Of conditions that overlap, the narrower comes first. What runs counts before what a
# trial of the login once said.
_TRIED = [
    "copying",
    "planning",
    "queued",
    "trying",
    "untried",
    "left_out",
    "planned",
    "complete",
    "password",
    "not_let_in",
    "no_answer",
    "stopped",
    "failed",
    "idle",
]
LIVE = {"copying", "planning", "queued", "trying", "untried"}
# Nothing is left to do for these, or nothing before they have ended.
SETTLED = {"complete", "left_out"}
TROUBLED = {"password", "not_let_in", "no_answer", "failed"}
MOVING = {"copying", "planning"}
OPEN_STATES = MOVING | {"queued"}


def with_state(jobs: JobQuerySet) -> QuerySet[Any]:
    """Annotate `state`, the code of a `JobState`."""
    newest = FilteredRelation("runs", condition=Q(runs__is_newest=True))
    return jobs.annotate(newest=newest).annotate(
        state=_by_state(CharField(), lambda it: it.code)
    )


def with_place_and_runs(jobs: JobQuerySet) -> QuerySet[Any]:
    """Annotate the `place` of the state in rows of groups that have all `runs` of a job.

    The newest is one of them, so that nobody has to look for it a second time.
    """
    is_newest = Q(runs__is_newest=True) | Q(runs=None)
    place = _by_state(IntegerField(), lambda it: it.place, _of_runs)
    return jobs.annotate(place=Max(place, filter=is_newest))


def _of_runs(when: Q) -> Q:
    """Return what asks of a row of `runs` what `when` asks of the newest."""
    found = when.copy()
    found.children = [
        (re.sub(r"^newest(?=__|$)", "runs", it[0]), it[1])
        if isinstance(it, tuple)
        else _of_runs(cast(Q, it))
        for it in when.children
    ]
    return found


def in_order(jobs: QuerySet[Any]) -> QuerySet[Any]:
    """Order jobs `with_state`: what is not finished first, then as in the file."""
    # Told from the conditions: of `state` all of them would be tried for each rank.
    rank = _by_state(IntegerField(), lambda it: it.rank)
    found: QuerySet[Any] = jobs.annotate(rank=rank)
    return found.order_by("rank", "number", "pk")


def _by_state(
    kind: Field[Any, Any],
    value: Callable[[JobState], object],
    asked: Callable[[Q], Q] = lambda when: when,
) -> Case:
    tried = [BY_CODE[code] for code in _TRIED]
    return Case(
        *(When(asked(it.when), then=Value(value(it))) for it in tried),
        default=Value(value(BY_CODE["idle"])),
        output_field=kind,
    )
