"""From passwords that owners handed over to copies in a batch.

All that a launch makes is made in one transaction: whoever is killed in the middle
leaves nothing, and whoever comes second finds what the first has made.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from purelymanage import crypto
from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.audit import log
from purelymanage.audit.campaign_events import CampaignEvent
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent, Entry
from purelymanage.errors import Refused
from purelymanage.figures import thin
from purelymanage.migrations import queue
from purelymanage.migrations.campaigns import verdicts
from purelymanage.migrations.models import (
    Batch,
    Campaign,
    Job,
    Participant,
    Run,
    Server,
    Submission,
)
from purelymanage.migrations.operations import renewals
from purelymanage.migrations.operations.batches import LOCK, NOT_ALLOWED, ONE_STEP
from purelymanage.migrations.operations.secrets import seal_secret
from purelymanage.migrations.operations.submissions import open_secret
from purelymanage.migrations.references import campaign_entry, job_entry

logger = logging.getLogger(__name__)

MANY = 500  # copies at once
RENEWED_AT_ONCE = 200  # the next sweep takes the others
NOTHING = "Nobody is ready yet: there is no password that is right and without a doubt."
ERASED = "What this campaign held was erased."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What is meant for all copies of a campaign."""

    begins_with_plan: bool = True
    takes_late_ones: bool = True
    tells_owners: bool = True
    # Whether those go as well whose new mailbox gets the mail of another old one.
    merges: bool = False


@dataclass(frozen=True, slots=True)
class Launched:
    batch: Batch
    copies: int = 0
    # Passwords that no key opens any more.
    unreadable: int = 0


@transaction.atomic(durable=True)
def launch(*, campaign: Campaign, wishes: Wishes, actor: User) -> Launched:
    """Make copies for everybody who is ready, and queue them.

    They go into one batch, which is made the first time. Doing it again takes those who
    have become ready since, and nobody twice.
    """
    held = _hold(campaign)
    if held.purged_at is not None:
        raise Refused(ERASED)
    if held.server.removed_at is not None:
        raise Refused(f"{held.server.name} was removed from the panel.")
    if not _may(actor, held.domains):
        raise Refused(NOT_ALLOWED)
    people = _ready(held, merges=wishes.merges)
    if not people and held.batch is None:
        raise Refused(NOTHING)
    if not people:
        return Launched(_batch(held))
    held.begins_with_plan = wishes.begins_with_plan
    held.takes_late_ones = wishes.takes_late_ones
    held.launched_at, held.launched_by = timezone.now(), actor
    if held.batch is None:
        held.batch = Batch.objects.create(
            name=held.name,
            server=held.server,
            created_by=actor,
            confirmed_at=held.launched_at,
        )
    batch = _batch(held)
    batch.tells_owners = wishes.tells_owners
    jobs = _make_copies(held, people, actor)
    if not jobs:
        raise Refused(NOTHING)
    held.save()
    copies = _in_words(len(jobs))
    event = CampaignEvent.CAMPAIGN_LAUNCHED
    entry = campaign_entry(event, held, actor=actor, copies=copies)
    log.record_many([entry, *_entries(held, jobs, actor)])
    queue.dispatch()
    return Launched(batch, len(jobs), len(people) - len(jobs))


@transaction.atomic(durable=True)
def join_late(*, participant: Participant) -> bool:
    """Let somebody whose password came after the launch join the batch.

    Tells whether they did: who is not on the list, in conflict with another, or may go
    nowhere, waits for somebody to look. A copy that there is already gets the new
    password.
    """
    held = _hold(Campaign(pk=participant.campaign_id))
    person = held.launched_by
    if held.batch is None or person is None:
        return False
    if renewals.left_behind().filter(pk=participant.pk).exists():
        participant.refresh_from_db()
        return renewals.renew(campaign=held, participant=participant)
    if not held.takes_late_ones:
        return False
    people = _ready(held, late=participant)
    if not people or not _may(person, [it.domain for it in people]):
        return False
    jobs = _make_copies(held, people, person)
    if not jobs:
        return False
    event = CampaignEvent.LATE_ONE_JOINED
    entry = campaign_entry(event, held, address=participant.address)
    log.record_many([entry, *_entries(held, jobs, Agent.PANEL)])
    queue.dispatch()
    return True


def _hold(campaign: Campaign) -> Campaign:
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


def _ready(
    campaign: Campaign, *, merges: bool = False, late: Participant | None = None
) -> list[Any]:
    found = verdicts.ready(campaign, merges=merges)
    if late is not None:
        # Whoever knows the link for everybody would get a mailbox by themselves.
        found = found.filter(pk=late.pk, is_listed=True)
    return list(found.order_by("address", "pk"))


def _may(person: User, domains: Sequence[str]) -> bool:
    return person.may(Right.MANAGE) and all(map(person.covers, domains))


def _batch(campaign: Campaign) -> Batch:
    assert campaign.batch is not None
    return campaign.batch


def _make_copies(campaign: Campaign, people: Sequence[Any], maker: User) -> list[Job]:
    """Make a job of each password that opens, and its first run; erase the password."""
    batch, now = _batch(campaign), timezone.now()
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
        except crypto.Unreadable:
            continue
        job = _job(batch, person, submission.source_user, maker, now)
        job.number = last + len(jobs) + 1
        seal_secret(job, password)
        person.job = job
        jobs.append(job)
        launched.append(person)
    batch.domains = sorted({*batch.domains, *(it.destination_domain for it in jobs)})
    batch.save(update_fields=["domains", "tells_owners"])
    Job.objects.bulk_create(jobs, batch_size=ONE_STEP)
    Participant.objects.bulk_update(launched, ["job"], batch_size=ONE_STEP)
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
    return jobs


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


def _in_words(count: int) -> str:
    return "1 copy" if count == 1 else f"{thin(count)} copies"


def _entries(
    campaign: Campaign, jobs: Sequence[Job], actor: User | Agent
) -> list[Entry]:
    kind = "a dry run" if campaign.begins_with_plan else "the copy"
    return [
        entry
        for job in jobs
        for entry in (
            job_entry(Event.JOB_CREATED, job, actor=actor),
            job_entry(Event.RUN_QUEUED, job, actor=actor, kind=kind),
        )
    ]


def take_in_renewed() -> int:
    """Take what came while its copy was running, and return how many of these did."""
    renewed = 0
    for participant in renewals.to_renew()[:RENEWED_AT_ONCE]:
        try:
            renewed += join_late(participant=participant)
        except Exception as exc:
            # Only the kind: the text might quote anything.
            kind = type(exc).__name__
            logger.error("New password of person %s: %s", participant.pk, kind)
    return renewed
