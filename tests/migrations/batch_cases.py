"""Batches of many jobs in all states, written straight into the tables."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.crypto import seal
from purelymanage.mailboxes.models import Mailbox
from purelymanage.migrations.models import Batch, Job, Run, Server

State, Login = Run.State, Job.Login
DOMAIN = "shop.example"


def add_batch(owner: User, server: Server, **columns: Any) -> Batch:
    columns = {
        "name": "First wave",
        "domains": [DOMAIN],
        "confirmed_at": timezone.now(),
    } | columns
    return Batch.objects.create(server=server, created_by=owner, **columns)


def add_jobs(batch: Batch, count: int, **columns: Any) -> list[Job]:
    """Write jobs that let in, each into a mailbox of its own."""
    first = Job.objects.count()
    columns = {"login": Login.RIGHT} | columns
    jobs = [
        Job(
            server=batch.server,
            batch=batch,
            number=number + 1,
            source_user=f"old{number}@old.example",
            destination=f"user{number}@{DOMAIN}",
            destination_domain=DOMAIN,
            created_by=batch.created_by,
            **columns,
        )
        for number in range(first, first + count)
    ]
    for job in jobs:
        job.source_secret = seal("a-password", bound_to=job.secret_place)
        job.secret_expires_at = timezone.now() + timedelta(days=30)
    Mailbox.objects.bulk_create(
        [Mailbox(address=it.destination, domain=DOMAIN) for it in jobs],
        ignore_conflicts=True,
    )
    return Job.objects.bulk_create(jobs, batch_size=1_000)


def add_runs(jobs: list[Job], state: Run.State, **columns: Any) -> list[Run]:
    now = timezone.now()
    if state == State.RUNNING:
        columns = {"lease_until": now + timedelta(seconds=30)} | columns
    elif state != State.QUEUED:
        columns = {"finished_at": now} | columns
    columns = {"dry_run": False} | columns
    runs = [Run(job=it, pair=it.pair, state=state, **columns) for it in jobs]
    return Run.objects.bulk_create(runs, batch_size=1_000)
