"""What the audit log keeps of a job beside its words: its rows, and whose domain it is."""

from __future__ import annotations

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent, Entry
from purelymanage.migrations.models import Batch, Job

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


def job_entry(event: Event, job: Job) -> Entry:
    """Return an entry of what the panel did by itself with a job."""
    entry = log.note(
        event,
        actor=Agent.PANEL,
        target=job.destination,
        domain=domain_of(job),
        source=job.source_user,
    )
    return log.refer(entry, references(job))


def batch_entry(event: Event, batch: Batch, **details: str) -> Entry:
    """Return an entry of what became of a batch, for those who may see all of it."""
    # One that goes elsewhere names no domain, and nobody limited is told.
    domains = batch.domains if all(batch.domains) else []
    entry = log.note(
        event,
        actor=Agent.PANEL,
        target=batch.name,
        domain=domains[0] if len(domains) == 1 else ELSEWHERE,
        diff=None,
        **details,
    )
    found = {"batch": str(batch.pk)}
    if domains:
        found["domains"] = " ".join(domains)
    return log.refer(entry, found)
