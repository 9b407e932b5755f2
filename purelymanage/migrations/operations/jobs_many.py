"""The same thing asked of many jobs of a batch: each in a transaction of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django_q.tasks import async_task

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.errors import Refused
from purelymanage.migrations import queue
from purelymanage.migrations.job_states import OPEN_STATES, SETTLED, with_state
from purelymanage.migrations.models import Batch, Job, JobAction, Run
from purelymanage.migrations.models.jobs import JobQuerySet
from purelymanage.migrations.operations import logins
from purelymanage.migrations.operations.jobs import remove_job
from purelymanage.migrations.operations.runs import add_run, stop

TASK = "purelymanage.migrations.job_actions.carry_out"
LEASE = timedelta(seconds=60)
# So many are done while the person waits, all others in the background.
MOST_AT_ONCE = 100
MOST_REFUSALS = 500

Kind = JobAction.Kind


def fitting(kind: str, jobs: JobQuerySet) -> QuerySet[Any]:
    """Return those of `jobs` that something asked of all of them is meant for.

    Whoever chooses by a filter means what can be done; whoever ticks a row means it.
    """
    match kind:
        case Kind.STOP:
            return with_state(jobs).filter(state__in=OPEN_STATES)
        case Kind.RETRY:
            return with_state(jobs).filter(state__in={"failed", "no_answer"})
        case Kind.REMOVE:
            return jobs
    return with_state(jobs).exclude(state__in=OPEN_STATES | SETTLED)


@transaction.atomic(durable=True)
def ask_of_jobs(
    *, batch: Batch, kind: str, keys: Sequence[int], actor: User
) -> JobAction:
    """Note what is to be done with jobs of a batch; a worker does it if it is much."""
    if kind not in Kind.values:
        raise Refused("There is no such action.")
    if not keys:
        raise Refused("Choose at least one mailbox that this can be done with.")
    try:
        with transaction.atomic():
            action = JobAction.objects.create(
                batch=batch,
                kind=kind,
                keys=list(keys),
                total=len(keys),
                requested_by=actor,
            )
    except IntegrityError as exc:
        raise Refused(
            "Something else is being done with this batch. Wait until it has ended."
        ) from exc
    if action.total > MOST_AT_ONCE:
        async_task(TASK, action.pk, task_name=f"action {action.pk} of a batch")
    return action


def claim_action(pk: int) -> JobAction | None:
    """Take an action that nobody works on."""
    lease_until = timezone.now() + LEASE
    if not JobAction.objects.claimable().filter(pk=pk).update(lease_until=lease_until):
        return None
    actions = JobAction.objects.select_related("batch", "requested_by")
    return actions.get(pk=pk, lease_until=lease_until)


def do_next(action: JobAction) -> bool:
    """Do what is asked with the next job; tell whether any was left."""
    if action.done >= action.total:
        return False
    key = action.keys[action.done]
    if action.kind == Kind.REMOVE or _is_about_login(action, key):
        # These end their own transaction, and may be done twice without harm.
        _note(action, key, _do_apart(action, key))
    else:
        _do_within(action, key)
    return True


def give_back(action: JobAction) -> None:
    """Let somebody else go on with it, or oneself at another time."""
    held = JobAction.objects.filter(pk=action.pk, lease_until=action.lease_until)
    held.update(lease_until=None)


@transaction.atomic(durable=True)
def finish_action(action: JobAction) -> None:
    JobAction.objects.filter(pk=action.pk).update(
        finished_at=timezone.now(), lease_until=None
    )
    queue.dispatch()


def left_behind() -> list[int]:
    return list(JobAction.objects.claimable().values_list("pk", flat=True))


def hand_on(pk: int) -> None:
    async_task(TASK, pk, task_name=f"action {pk} of a batch")


@transaction.atomic(durable=True)
def _do_within(action: JobAction, key: int) -> None:
    """Change one job and count it, both or neither."""
    # Whoever settles a run locks it before its job, and stopping needs only the run.
    job = _job(action, key, locks=action.kind != Kind.STOP)
    _advance(action)
    refusal = ""
    try:
        with transaction.atomic():
            _change(action, _checked(action, job))
    except Refused as exc:
        refusal = str(exc)
    if refusal:
        _refuse(action, job, key, refusal)


def _change(action: JobAction, job: Job) -> None:
    actor = action.requested_by
    if action.kind == Kind.STOP:
        run = Run.objects.open().filter(job=job).select_for_update(of=("self",)).first()
        if run is None:
            raise Refused("It neither waits nor runs.")
        run.job = job
        stop(run, actor)
        return
    dry_run = action.kind == Kind.PLAN
    if action.kind == Kind.RETRY:
        newest = Run.objects.filter(job=job, is_newest=True).defer("log").get()
        if newest.state not in {Run.State.FAILED, Run.State.STOPPED}:
            raise Refused("It has not failed.")
        dry_run = newest.dry_run
    add_run(job=job, dry_run=dry_run, actor=actor, hand_out=False)


def _is_about_login(action: JobAction, key: int) -> bool:
    """Whether nothing but the trial of the login can be repeated."""
    return action.kind == Kind.RETRY and not Run.objects.filter(job=key).exists()


def _do_apart(action: JobAction, key: int) -> str:
    try:
        job = _checked(action, _job(action, key))
        if action.kind == Kind.REMOVE:
            remove_job(job=job, actor=action.requested_by)
        else:
            logins.try_again(job=job, actor=action.requested_by)
    except Refused as exc:
        return str(exc)
    return ""


def _checked(action: JobAction, job: Job | None) -> Job:
    """Look at the rights once more: minutes may have passed since it was asked for."""
    person = action.requested_by
    if job is None or job.removed_at is not None:
        raise Refused("It was removed meanwhile.")
    if not person.may(Right.MANAGE) or not person.covers(job.destination_domain):
        raise Refused(f"{person} may not do this any more.")
    return job


def _job(action: JobAction, key: int, *, locks: bool = False) -> Job | None:
    jobs = Job.objects.filter(batch=action.batch_id, pk=key)
    if locks:
        jobs = jobs.select_for_update(of=("self",))
    return jobs.select_related("server", "destination_server").first()


@transaction.atomic(durable=True)
def _note(action: JobAction, key: int, refusal: str) -> None:
    _advance(action)
    if refusal:
        _refuse(action, _job(action, key), key, refusal)


class Lost(Exception):
    """Somebody else works on this action by now."""


def _advance(action: JobAction) -> None:
    """Count one more job as done, and keep the lease."""
    lease_until = timezone.now() + LEASE
    held = JobAction.objects.filter(
        pk=action.pk, done=action.done, lease_until=action.lease_until
    )
    if not held.update(done=action.done + 1, lease_until=lease_until):
        raise Lost
    action.done, action.lease_until = action.done + 1, lease_until


def _refuse(action: JobAction, job: Job | None, key: int, sentence: str) -> None:
    action.refused += 1
    if len(action.refusals) < MOST_REFUSALS:
        name = job.destination if job is not None else "A mailbox"
        action.refusals.append([key, name, sentence])
    action.save(update_fields=["refused", "refusals"])
