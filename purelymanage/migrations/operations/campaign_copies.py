"""Copies made of the passwords that owners handed over, as part of a larger change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Max
from django.utils import timezone

from purelymanage import crypto
from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent, Entry
from purelymanage.errors import Refused
from purelymanage.figures import thin
from purelymanage.migrations.models import (
    Batch,
    Campaign,
    Job,
    Participant,
    Run,
    Server,
    Submission,
)
from purelymanage.migrations.operations.batches import LOCK, NOT_ALLOWED, ONE_STEP
from purelymanage.migrations.operations.secrets import seal_secret
from purelymanage.migrations.operations.submissions import open_secret
from purelymanage.migrations.references import job_entry

MANY = 500  # copies at once
ERASED = "What this campaign held was erased."
# Thousands of pairs in as many branches of a CASE would be compared one by one.
GIVE_JOBS = """
    UPDATE migrations_participant AS person SET job_id = given.job
    FROM unnest(%s::bigint[], %s::bigint[]) AS given (person, job)
    WHERE person.id = given.person
"""


@dataclass(frozen=True, slots=True)
class Made:
    jobs: list[Job] = field(default_factory=list)
    # Passwords that no key opens any more.
    unreadable: int = 0


def hold(campaign: Campaign) -> Campaign:
    """Lock a campaign, so that nothing is handed over, withdrawn or launched meanwhile.

    Its server as well: passwords were given for it as it is.
    """
    # No joins: what they found before the lock was waited for may be old.
    held = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    held.server = Server.objects.select_for_update(no_key=True).get(pk=held.server_id)
    # Of two into the same mailboxes, the second has to see what the first has made.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    return held


def may(person: User, domains: Sequence[str]) -> bool:
    return person.may(Right.MANAGE) and all(map(person.covers, domains))


def refuse_if_impossible(campaign: Campaign, actor: User) -> None:
    if campaign.purged_at is not None:
        raise Refused(ERASED)
    if campaign.server.removed_at is not None:
        raise Refused(f"{campaign.server.name} was removed from the panel.")
    if not may(actor, campaign.domains):
        raise Refused(NOT_ALLOWED)


def make_copies(
    *, campaign: Campaign, batch: Batch, people: Sequence[Any], maker: User
) -> Made:
    """Make a job of each password that opens, and its first run; erase the password."""
    if not people:
        return Made()
    now = timezone.now()
    kept = Submission.objects.filter(
        participant__in=[it.pk for it in people], state=Submission.State.RIGHT
    )
    submissions = {it.participant_id: it for it in kept.select_for_update()}
    last = batch.jobs.aggregate(last=Max("number", default=0))["last"]
    jobs: list[Job] = []
    launched: list[Participant] = []
    for person in people:
        submission = submissions[person.pk]
        submission.participant = person
        try:
            password = open_secret(submission)
        except (crypto.Unreadable, crypto.MissingKey):
            continue
        job = _job(batch, person, submission.source_user, maker, now)
        job.number = last + len(jobs) + 1
        seal_secret(job, password)
        jobs.append(job)
        launched.append(person)
    batch.domains = sorted({*batch.domains, *(it.destination_domain for it in jobs)})
    batch.save(update_fields=["domains"])
    Job.objects.bulk_create(jobs, batch_size=ONE_STEP)
    with connection.cursor() as cursor:
        pairs = [it.pk for it in launched], [it.pk for it in jobs]
        cursor.execute(GIVE_JOBS, pairs)
    keys = [submissions[it.pk].pk for it in launched]
    Submission.objects.filter(pk__in=keys).update(secret="")
    dry_run = campaign.begins_with_plan
    Run.objects.bulk_create(
        [Run(job=it, pair=it.pair, dry_run=dry_run, queued_at=now) for it in jobs],
        batch_size=ONE_STEP,
    )
    if len(jobs) >= MANY:
        # The database would go on as if these tables were what they were a minute ago,
        # and look for what goes next by comparing each run with each job.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE migrations_job, migrations_run")
    return Made(jobs, len(people) - len(jobs))


def entries(
    campaign: Campaign, jobs: Sequence[Job], actor: User | Agent
) -> list[Entry]:
    """Return what the log says of copies that were made."""
    kind = "a dry run" if campaign.begins_with_plan else "the copy"
    return [
        entry
        for job in jobs
        for entry in (
            job_entry(Event.JOB_CREATED, job, actor=actor),
            job_entry(Event.RUN_QUEUED, job, actor=actor, kind=kind),
        )
    ]


def in_words(count: int) -> str:
    return "1 copy" if count == 1 else f"{thin(count)} copies"


def _job(batch: Batch, person: Any, user: str, maker: User, now: datetime) -> Job:
    """Return the copy of somebody `with_verdict`; that their password is right is known."""
    return Job(
        batch=batch,
        server=batch.server,
        source_user=user,
        destination=person.into,
        destination_domain=person.domain,
        creates_destination=not person.exists,
        login=Job.Login.RIGHT,
        login_tried_at=person.submitted_at or now,
        created_by=maker,
        created_at=now,
    )
