"""What the log keeps of copies and campaigns beside words: rows, and whose they are."""

from __future__ import annotations

from purelymanage.audit import log
from purelymanage.audit.campaign_events import CampaignEvent
from purelymanage.audit.events import Event
from purelymanage.audit.log import Actor
from purelymanage.audit.models import Agent, Entry
from purelymanage.audit.naming import AnyEvent
from purelymanage.migrations.models import Batch, Campaign, Job

# No domain is called so: what goes to another server is for people without a limit.
ELSEWHERE = "another server"


def references(job: Job) -> dict[str, str]:
    """Return what an entry about `job` points at; a batch tells of its jobs itself."""
    found = {"job": str(job.pk)}
    if job.batch_id is not None:
        found["batch"] = str(job.batch_id)
    return found


def domain_of(job: Job) -> str:
    return job.destination_domain or ELSEWHERE


def record_job(event: Event, job: Job, *, actor: Actor, **details: str) -> None:
    """Record one entry about a job; see `log.record` for when."""
    log.record_many([job_entry(event, job, actor=actor, **details)])


def job_entry(
    event: Event, job: Job, *, actor: Actor = Agent.PANEL, **details: str
) -> Entry:
    """Return an entry of what was done with a job, for those who may see it."""
    entry = log.note(
        event,
        actor=actor,
        target=job.destination,
        domain=domain_of(job),
        diff=None,
        source=job.source_user,
        **details,
    )
    return log.refer(entry, references(job))


def record_batch(event: Event, batch: Batch, *, actor: Actor, **details: str) -> None:
    """Record one entry about a batch; see `log.record` for when."""
    log.record_many([batch_entry(event, batch, actor=actor, **details)])


def batch_entry(
    event: Event, batch: Batch, *, actor: Actor = Agent.PANEL, **details: str
) -> Entry:
    """Return an entry of what became of a batch, for those who may see all of it."""
    return _entry(event, batch, {"batch": str(batch.pk)}, actor, details)


def record_campaign(
    event: CampaignEvent, campaign: Campaign, *, actor: Actor, **details: str
) -> None:
    """Record one entry about a campaign; see `log.record` for when."""
    log.record_many([campaign_entry(event, campaign, actor=actor, **details)])


def campaign_entry(
    event: CampaignEvent,
    campaign: Campaign,
    *,
    actor: Actor = Agent.PANEL,
    **details: str,
) -> Entry:
    """Return an entry of what happened in a campaign, for those who may see it."""
    return _entry(event, campaign, {"campaign": str(campaign.pk)}, actor, details)


def _entry(
    event: AnyEvent,
    row: Batch | Campaign,
    found: dict[str, str],
    actor: Actor,
    details: dict[str, str],
) -> Entry:
    # One that goes elsewhere names no domain, and nobody limited is told.
    domains = row.domains if all(row.domains) else []
    entry = log.note(
        event,
        actor=actor,
        target=row.name,
        domain=domains[0] if len(domains) == 1 else ELSEWHERE,
        diff=None,
        **details,
    )
    if domains:
        found["domains"] = " ".join(domains)
    return log.refer(entry, found)
