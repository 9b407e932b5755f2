"""Storing, opening and erasing the passwords of the two mailboxes of a job."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import FilteredRelation, Q, QuerySet
from django.utils import timezone

from purelymanage import crypto
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.log import Actor
from purelymanage.figures import thin
from purelymanage.migrations.models import Job, Run
from purelymanage.migrations.references import (
    batch_entry,
    domain_of,
    job_entry,
)

KEPT = timedelta(days=30)
EXPIRED = (
    "The password was erased at its date, as it is kept no longer. Enter it again."
)


def seal_secret(job: Job, password: str) -> None:
    """Put a password into `job`, which is not saved yet."""
    job.source_secret = crypto.seal(password, bound_to=job.secret_place)
    job.secret_expires_at = timezone.now() + KEPT
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
        log.record(
            Event.SOURCE_PASSWORD_WIPED,
            actor=actor,
            target=job.destination,
            domain=domain_of(job),
            source=job.source_user,
        )
    return bool(wiped)


def wipe_expired_secrets() -> int:
    """Erase the passwords whose time has passed, but none that a run works with.

    A run that only waits for its turn ends: it could not sign in. Whoever can enter the
    password again is told, once for all mailboxes of a batch.
    """
    expired = Job.objects.with_expired_secret().exclude(pk__in=_in_use())
    groups: dict[int | None, list[int]] = defaultdict(list)
    for pk, batch in expired.order_by("pk").values_list("pk", "batch"):
        groups[batch].append(pk)
    single = groups.pop(None, [])
    return sum(_expire([pk]) for pk in single) + sum(map(_expire, groups.values()))


@transaction.atomic(durable=True)
def _expire(keys: list[int]) -> int:
    """Erase the passwords of jobs that have a batch in common, or of one job."""
    now = timezone.now()
    # Runs before jobs, as whoever settles one does.
    waiting = Run.objects.queued().filter(job__in=keys, handed_at=None)
    ending = list(waiting.select_for_update(of=("self",)).order_by("pk"))
    rows = Job.objects.with_expired_secret().filter(pk__in=keys)
    jobs = list(
        rows.exclude(pk__in=_in_use())
        .select_for_update(of=("self",))
        .select_related("batch")
        .order_by("pk")
    )
    if not jobs:
        return 0
    keys = [job.pk for job in jobs]
    needed = _needed(keys)
    for run in ending:
        if run.job_id in keys:
            _end_without(run, now)
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
        noun = "the password" if number == 1 else f"{thin(number)} passwords"
        event = Event.BATCH_NEEDS_PASSWORDS
        entries.append(batch_entry(event, batch, passwords=noun))
    log.record_many(entries)
    return len(jobs)


def _in_use() -> QuerySet[Run, Any]:
    """Return the jobs of which a run holds, or is about to open, the passwords."""
    return Run.objects.busy().values("job")


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
