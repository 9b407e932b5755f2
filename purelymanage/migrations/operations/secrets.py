"""Storing, opening and erasing the passwords of the two mailboxes of a job."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from purelymanage import crypto
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.log import Actor
from purelymanage.audit.models import Agent
from purelymanage.migrations.models import Job, Run

KEPT = timedelta(days=30)


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
            source=job.source_user,
        )
    return bool(wiped)


def wipe_expired_secrets() -> int:
    """Erase the passwords whose time has passed, but none that a run still needs."""
    needed = Run.objects.open().values("job")
    jobs = Job.objects.with_expired_secret().exclude(pk__in=needed)
    wiped = 0
    for job in jobs:
        with transaction.atomic(durable=True):
            wiped += wipe_secret(job=job, actor=Agent.PANEL)
    return wiped
