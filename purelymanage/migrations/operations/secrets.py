"""Storing, opening and erasing the passwords of the two mailboxes of a job."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import FilteredRelation, Q
from django.utils import timezone

from purelymanage import crypto
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.log import Actor
from purelymanage.figures import thin
from purelymanage.migrations.models import Job, Run
from purelymanage.migrations.references import (
    batch_entry,
    job_entry,
    record_job,
)

# The passwords of a batch whose dates are this close are erased at once.
TOGETHER = timedelta(minutes=5)
EXPIRED = (
    "The password was erased at its date, as it is kept no longer. Enter it again."
)


def kept() -> timedelta:
    """Return how long a password is kept at most, see settings."""
    return timedelta(days=settings.PASSWORDS_KEPT_DAYS)


def seal_secret(job: Job, password: str) -> None:
    """Put a password into `job`, which is not saved yet."""
    job.source_secret = crypto.seal(password, bound_to=job.secret_place)
    job.secret_expires_at = timezone.now() + kept()
    job.secret_wiped_at = None


def open_secret(job: Job) -> str:
    return crypto.unseal(job.source_secret, bound_to=job.secret_place)


def seal_destination_secret(job: Job, password: str) -> None:
    """Put the password of another server's mailbox into `job`, which is not saved yet.

    It goes when that of the source goes, which therefore has to be sealed as well.
    """
    place = job.destination_secret_place
    job.destination_secret = crypto.seal(password, bound_to=place)


def open_destination_secret(job: Job) -> str:
    return crypto.unseal(job.destination_secret, bound_to=job.destination_secret_place)


def wipe_secret(*, job: Job, actor: Actor) -> bool:
    """Erase what is stored of both passwords, unless that was done already."""
    wiped = (
        Job.objects.filter(pk=job.pk)
        .exclude(source_secret="", destination_secret="")
        .update(
            source_secret="",
            destination_secret="",
            secret_expires_at=None,
            secret_wiped_at=timezone.now(),
        )
    )
    if wiped:
        record_job(Event.SOURCE_PASSWORD_WIPED, job, actor=actor)
    return bool(wiped)


def wipe_expired_secrets() -> int:
    """Erase the passwords whose time has passed, but none that a run works with.

    A run that only waits for its turn ends: it could not sign in. Whoever can enter the
    password again is told, once for all mailboxes of a batch.
    """
    now = timezone.now()
    jobs = Job.objects.exclude(pk__in=Run.objects.busy().values("job"))
    expired = jobs.with_secret_until(now)
    single = list(expired.filter(batch=None).order_by("pk"))
    wiped = sum(_expire([job.pk]) for job in single)
    batches = expired.exclude(batch=None).values_list("batch", flat=True)
    for batch in sorted(set(batches)):
        # They were sealed one after the other, and are told of together.
        together = jobs.with_secret_until(now + TOGETHER).filter(batch=batch)
        wiped += _expire(list(together.values_list("pk", flat=True)))
    return wiped


@transaction.atomic(durable=True)
def _expire(keys: list[int]) -> int:
    """Erase the passwords of jobs that have a batch in common, or of one job."""
    now = timezone.now()
    # What somebody holds is left for the next time: they may be replacing it.
    waiting = Run.objects.queued().filter(job__in=keys, handed_at=None)
    runs = waiting.select_for_update(of=("self",), skip_locked=True)
    ending = {run.job_id: run for run in runs.order_by("pk")}
    rows = Job.objects.with_secret_until(now + TOGETHER).filter(pk__in=keys)
    locked = rows.select_for_update(of=("self",), skip_locked=True)
    held = list(locked.select_related("batch").order_by("pk"))
    open_runs = Run.objects.open().filter(job__in=keys)
    others = set(open_runs.values_list("job", flat=True)) - set(ending)
    jobs = [job for job in held if job.pk not in others]
    if not jobs:
        return 0
    keys = [job.pk for job in jobs]
    needed = _needed(keys)
    for job in jobs:
        if job.pk in ending:
            _end_without(ending[job.pk], now)
    Job.objects.filter(pk__in=keys).update(
        source_secret="",
        destination_secret="",
        secret_expires_at=None,
        secret_wiped_at=now,
    )
    # That it was right says nothing any more.
    Job.objects.filter(pk__in=keys, login=Job.Login.RIGHT).update(login="")
    entries = [job_entry(Event.SOURCE_PASSWORD_WIPED, job) for job in jobs]
    lacking = [job for job in jobs if job.pk in needed]
    entries += [job_entry(Event.SOURCE_PASSWORD_EXPIRED, job) for job in lacking]
    if lacking and (batch := lacking[0].batch) is not None:
        number = len(lacking)
        noun = "1 mailbox" if number == 1 else f"{thin(number)} mailboxes"
        event = Event.BATCH_NEEDS_PASSWORDS
        entries.append(batch_entry(event, batch, mailboxes=noun))
    log.record_many(entries)
    return len(jobs)


def _needed(keys: list[int]) -> set[int]:
    """Return those of the jobs that a run was still to come of.

    Not those that were stopped or have failed: whoever did that, or was told, knows.
    """
    coming = Q(newest=None) | Q(newest__state=Run.State.QUEUED)
    coming |= Q(newest__state=Run.State.DONE, newest__dry_run=True)
    newest = FilteredRelation("runs", condition=Q(runs__is_newest=True))
    jobs = Job.objects.present().filter(pk__in=keys).annotate(newest=newest)
    return set(jobs.filter(coming).values_list("pk", flat=True))


def _end_without(run: Run, now: datetime) -> None:
    run.state, run.verdict = Run.State.FAILED, Run.Verdict.INCOMPLETE
    run.trouble, run.failure = Run.Trouble.PASSWORD, EXPIRED
    run.finished_at, run.not_before = now, None
    columns = ["state", "verdict", "trouble", "failure", "finished_at", "not_before"]
    run.save(update_fields=columns)
