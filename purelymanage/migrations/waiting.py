"""Why a run waits, as one sentence for each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from purelymanage.migrations.limits import Situation
from purelymanage.migrations.models import Job, Run

CLAIMED_SOON = timedelta(seconds=15)
AGAIN = {
    Run.Trouble.BUDGET: "The limit of the day is used up. It goes on",
    Run.Trouble.THROTTLED: "The server asked us to slow down. It goes on",
    Run.Trouble.PASSWORD: "The password was refused. It is tried once more",
    Run.Trouble.STALLED: "Nothing moved any more. It tries again",
}


def why_waiting(runs: Sequence[Run]) -> dict[int, str]:
    """Return a sentence for each of `runs` that waits, by their keys.

    It takes the same number of queries for any number of them.
    """
    waiting = {run.pk: run for run in runs if run.state == Run.State.QUEUED}
    if not waiting:
        return {}
    situation = Situation.read(timezone.now())
    now = situation.now
    jobs = (
        Job.objects.filter(runs__in=waiting)
        .select_related("batch", "server", "destination_server")
        .defer("batch__sheet")
        .in_bulk()
    )
    return {
        pk: _why(run, jobs[run.job_id], now)
        or _why_held(run, jobs[run.job_id], situation)
        for pk, run in waiting.items()
        if run.job_id in jobs
    }


def why_alone(run: Run) -> str:
    """Return the same for one run that came with its job, in one query at most."""
    if run.state != Run.State.QUEUED:
        return ""
    now = timezone.now()
    return _why(run, run.job, now) or _why_held(run, run.job, Situation.read(now))


def moment(at: datetime) -> str:
    """Write a time by the clock, with its day if that is not today."""
    local, now = timezone.localtime(at), timezone.localtime()
    clock = f"{local:%H:%M}"
    if local.date() == now.date():
        return f"at {clock}"
    if local.date() == now.date() + timedelta(days=1):
        return f"tomorrow at {clock}"
    return f"on {local.day} {local:%B} at {clock}"


def _why(run: Run, job: Job, now: datetime) -> str:
    """Say what holds it back that has nothing to do with others."""
    if run.handed_at:
        return _why_handed(run.handed_at, now)
    if run.not_before and run.not_before > now:
        words = "It tries again"
        if run.trouble:
            words = AGAIN.get(Run.Trouble(run.trouble), words)
        return f"{words} {moment(run.not_before)}."
    return _why_not_yet(job, now)


def _why_held(run: Run, job: Job, situation: Situation) -> str:
    return _why_closed(job, situation) or _why_full(run, job, situation)


def _why_handed(handed_at: datetime, now: datetime) -> str:
    if now - handed_at > CLAIMED_SOON:
        return "It waits for a worker: none is free."
    return "It starts in a moment."


def _why_not_yet(job: Job, now: datetime) -> str:
    batch = job.batch
    if batch is not None:
        if batch.confirmed_at is None:
            return "Its batch is a draft."
        if batch.paused_at is not None:
            return "Its batch is paused."
        if batch.starts_at and batch.starts_at > now:
            return f"Its batch begins {moment(batch.starts_at)}."
    if job.starts_at and job.starts_at > now:
        return f"It begins {moment(job.starts_at)}."
    return ""


def _why_closed(job: Job, situation: Situation) -> str:
    if situation.rules.paused_at is not None:
        return "The queue is paused."
    if until := situation.rests_until:
        return f"The queue rests. It goes on {moment(until)}."
    for pk in (job.server_id, job.destination_server_id):
        server = situation.servers.get(pk) if pk is not None else None
        if server is None:
            continue
        if server.rests_until:
            return f"{server.name} rests. It goes on {moment(server.rests_until)}."
        if server.used_up_until:
            until = server.used_up_until
            return (
                f"The limit of {server.name} for today is used up. It goes on "
                f"{moment(until)}."
            )
    return ""


def _why_full(run: Run, job: Job, situation: Situation) -> str:
    if run.pair in situation.pairs:
        return "Another copy between the same two mailboxes is running."
    for pk in (job.server_id, job.destination_server_id):
        if pk is not None and situation.is_server_full(pk):
            server = situation.servers[pk]
            return f"{server.name} is to serve no more than {server.parallel_runs} at once."
    batch = job.batch
    most = batch.parallel_runs if batch is not None else None
    if most is not None and situation.in_batch[job.batch_id] >= most:
        return f"Its batch is to run no more than {most} at once."
    if not situation.free:
        most = situation.rules.parallel_runs
        runs = "One copy runs" if most == 1 else f"{most} copies run"
        return f"{runs} already, as many as may at once."
    return "It starts in a moment."
