"""Carries out what is asked of many jobs at once, and goes on where a worker died."""

from __future__ import annotations

import time

from purelymanage.migrations.models import JobAction
from purelymanage.migrations.operations import jobs_many

# Seconds after which other tasks have their turn.
SLICE = 20.0


def carry_out(pk: int) -> str:
    """Do what is left of an action. The queue may deliver this twice."""
    action = jobs_many.claim_action(pk)
    if action is None:
        return "done already, or in other hands"
    until = time.monotonic() + SLICE
    try:
        while jobs_many.do_next(action):
            if time.monotonic() >= until:
                jobs_many.give_back(action)
                jobs_many.hand_on(action.pk)
                return _words(action)
    except jobs_many.Lost:
        return "in other hands by now"
    jobs_many.finish_action(action)
    return _words(action)


def sweep() -> str:
    """Go on with what a worker left behind."""
    left = jobs_many.left_behind()
    for pk in left:
        jobs_many.hand_on(pk)
    return f"{len(left)} actions"


def _words(action: JobAction) -> str:
    return f"{action.done} of {action.total} done, {action.refused} refused"
