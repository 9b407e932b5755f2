from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit.events import Event
from purelymanage.audit.log import Actor
from purelymanage.audit.models import Agent
from purelymanage.errors import Refused
from purelymanage.migrations import queue
from purelymanage.migrations.destinations import refuse_unfit
from purelymanage.migrations.engines import imapsync_version
from purelymanage.migrations.models import Attempt, Job, Run
from purelymanage.migrations.models.runs import LONG_LEASE
from purelymanage.migrations.models.servers import EngineChoice
from purelymanage.migrations.references import record_job


@transaction.atomic(durable=True)
def queue_run(*, job: Job, dry_run: bool, actor: User, engine: str = "") -> Run:
    """Queue a plan or a copy; it starts as soon as a slot is free.

    With `engine` the job is carried out by that one from now on.
    """
    jobs = Job.objects.select_for_update(of=("self",))
    job = jobs.select_related("server", "destination_server").get(pk=job.pk)
    if engine and engine != job.engine:
        if engine not in EngineChoice.values:
            raise Refused("There is no such engine.")
        job.engine = engine
        job.save(update_fields=["engine"])
    return add_run(job=job, dry_run=dry_run, actor=actor)


def add_run(*, job: Job, dry_run: bool, actor: Actor, hand_out: bool = True) -> Run:
    """Queue a run as part of a larger change; see `queue_run`.

    Who adds many does so without `hand_out` and dispatches once, at the end.
    """
    if job.login == Job.Login.WRONG:
        raise Refused(
            f"The password of {job.source_user} was not accepted. Enter the present one."
        )
    if job.needs_password:
        raise Refused(
            f"The password of {job.source_user} is not stored any more. Enter it again."
        )
    refuse_unfit(job)
    if Run.objects.open().filter(pair=job.pair).exists():
        raise Refused(
            f"{job.source_user} is being copied to {job.destination} already."
        )

    Run.objects.filter(job=job, is_newest=True).update(is_newest=False)
    try:
        with transaction.atomic():
            run = Run.objects.create(job=job, pair=job.pair, dry_run=dry_run)
    except IntegrityError as exc:
        raise Refused(
            f"{job.source_user} is being copied to {job.destination} already."
        ) from exc
    record(Event.RUN_QUEUED, run, actor=actor)
    if hand_out:
        queue.dispatch()
    return run


def wake(*, job: Job) -> bool:
    """Let a run of `job` that was put off go on at once; tell whether one waits.

    Part of a larger change, which does away with what it was put off for.
    """
    waiting = Run.objects.queued().filter(job=job)
    return bool(waiting.update(not_before=None, trouble="", failure="", technical=""))


@transaction.atomic(durable=True)
def stop_run(*, run: Run, actor: User) -> None:
    """Stop a run: at once if it waits, else within seconds, by its own worker."""
    run = (
        Run.objects.select_for_update(of=("self",)).select_related("job").get(pk=run.pk)
    )
    if not run.is_open:
        raise Refused(f"{run.job} has ended already.")
    stop(run, actor)


def stop(run: Run, actor: Actor) -> None:
    """Stop an open run as part of a larger change, which holds its row."""
    now = timezone.now()
    if run.stop_requested_at:
        return
    run.stop_requested_at = now
    if run.state == Run.State.QUEUED:
        run.state, run.verdict = Run.State.STOPPED, Run.Verdict.STOPPED
        run.finished_at, run.handed_at = now, None
    run.save(
        update_fields=[
            "state",
            "verdict",
            "finished_at",
            "handed_at",
            "stop_requested_at",
        ]
    )
    record(Event.RUN_STOPPED, run, actor=actor)
    queue.dispatch()


@transaction.atomic(durable=True)
def claim_run(*, pk: int, host: str) -> Run | None:
    """Take a run that was handed out, or return None if somebody else has it.

    This opens the stored password, which is why it is written down here.
    """
    now = timezone.now()
    handed = Run.objects.queued().filter(pk=pk, handed_at__isnull=False)
    locked = handed.select_for_update(of=("self",))
    run = locked.select_related("job__server", "job__destination_server").first()
    if run is None:
        return None

    run.state, run.attempt = Run.State.RUNNING, run.attempt + 1
    run.host = host
    run.lease_until = now + LONG_LEASE
    run.started_at = run.started_at or now
    run.moved_at = now
    run.handed_at = run.not_before = None
    run.phase, run.detail = Run.Phase.CONNECTING, ""
    run.copied_earlier += run.copied
    run.bytes_copied_earlier += run.bytes_copied
    run.copied = run.bytes_copied = run.failed = 0
    run.samples = []
    run.trouble = run.failure = run.technical = ""
    run.save()
    Attempt.objects.create(run=run, number=run.attempt, host=host, began_at=now)
    run.errors.all().delete()
    record(Event.RUN_STARTED, run, actor=Agent.PANEL)
    if run.job.source_secret:
        record_job(
            Event.SOURCE_PASSWORD_OPENED,
            run.job,
            actor=Agent.PANEL,
            purpose=run.kind,
        )
    return run


def note_engine(*, run: Run, engine: str) -> None:
    """Note what copies; a program beside the panel has a version of its own."""
    run.engine = engine
    version = imapsync_version() if engine == EngineChoice.IMAPSYNC else None
    run.engine_version = version or ""
    Run.objects.held_by(run).update(engine=engine, engine_version=run.engine_version)


def record(event: Event, run: Run, *, actor: Actor, **details: str) -> None:
    record_job(event, run.job, actor=actor, kind=run.kind, **details)
