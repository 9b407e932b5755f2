"""The one mail that whoever owns a mailbox gets: their mail has arrived."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Sum
from django.template.loader import render_to_string
from django.utils import timezone

from purelymanage.accounts.models import Organisation
from purelymanage.audit.mail import queue_mail
from purelymanage.imap.errors import is_about_size
from purelymanage.mailboxes.models import Mailbox
from purelymanage.migrations.models import Job, Run
from purelymanage.migrations.options import JobOptions

LISTED = 50


@dataclass(frozen=True, slots=True)
class Item:
    """A message that was left out, by what its owner can find it with."""

    folder: str
    arrived_at: datetime | None
    size: int
    reason: str


def tell_owner(run: Run) -> bool:
    """Write to a mailbox whose copy is complete, once. Part of settling the run.

    Only what both sides confirm is told, and only to mailboxes of the account.
    """
    job = run.job
    batch = job.batch
    if batch is None or not batch.tells_owners or not run.is_complete:
        return False
    if job.destination_server_id is not None:
        return False
    options = JobOptions.read(job.options)
    if options.flags_only:
        return False  # nothing has arrived
    if not Mailbox.objects.present().filter(address=job.destination).exists():
        return False
    untold = Job.objects.filter(pk=job.pk, owner_told_at=None)
    if not untold.update(owner_told_at=timezone.now()):
        return False
    context = _context(run, options)
    queue_mail(
        to=job.destination,
        subject=f"Your mail from {job.source_user} has arrived",
        text=render_to_string("migrations/mails/arrived.txt", context),
        html=render_to_string("migrations/mails/arrived.html", context),
    )
    return True


def _context(run: Run, options: JobOptions) -> dict[str, object]:
    job = run.job
    person = job.batch.created_by if job.batch is not None else job.created_by
    failed = run.errors.filter(uid__gt=0)
    lost = failed.aggregate(bytes=Sum("size", default=0))["bytes"]
    items = [
        Item(it.folder, it.arrived_at, it.size, _reason(it.reason))
        for it in failed.order_by("folder", "uid")[:LISTED]
    ]
    return {
        "job": job,
        "messages": max(0, run.messages - run.failed),
        "bytes": max(0, run.bytes - lost),
        "there_before": run.there_before,
        "begun_at": run.started_at,
        "failed": run.failed,
        "items": items,
        "more": max(0, run.failed - len(items)),
        "chosen": _chosen(job, options),
        "subfolder": options.subfolder,
        "person": person if person.is_active else None,
        "organisation": Organisation.objects.present().name,
    }


def _chosen(job: Job, options: JobOptions) -> list[str]:
    """Say what was not meant to be copied."""
    narrowing = replace(options, mapping=(), subfolder="", messages_a_second=None)
    words = narrowing.in_words()
    if options.folders is None and job.server.left_out_folders:
        words.append(f"Without {', '.join(job.server.left_out_folders)}")
    return words


def _reason(words: str) -> str:
    """Put what a server said into words for somebody who runs none."""
    if is_about_size(words):
        return "too large for the new mailbox"
    return "could not be copied"
