"""Taking a server out of the lists once nothing is left to copy from or into it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.errors import Refused
from purelymanage.figures import thin
from purelymanage.migrations.job_states import SETTLED, with_state
from purelymanage.migrations.models import Batch, Campaign, Job, Server
from purelymanage.migrations.models.jobs import JobQuerySet
from purelymanage.migrations.operations.secrets import wipe_secret

MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Use:
    """Something that still needs a server; the keys lead to its page."""

    words: str
    batch: int | None = None
    job: int | None = None


@transaction.atomic(durable=True)
def remove_server(*, server: Server, actor: User) -> int:
    """Hide a server and return how many stored passwords were erased for it.

    The row stays, as finished copies name it in their reports; its name is free again.
    """
    server = Server.objects.select_for_update().get(pk=server.pk)
    if server.removed_at is not None:
        raise Refused(f"{server.name} was removed already.")
    if uses := uses_of(server):
        raise Refused(f"{server.name} is still needed: {_listed(uses)}.")
    server.removed_at = timezone.now()
    server.save(update_fields=["removed_at"])
    # Rows first, the audit log last: nobody who holds the log may wait for a row.
    jobs = _jobs(server).exclude(source_secret="", destination_secret="")
    locked = list(jobs.select_for_update(of=("self",)))
    log.record(
        Event.SERVER_REMOVED,
        actor=actor,
        target=server.name,
        host=server.host,
        port=str(server.port),
    )
    return sum(wipe_secret(job=job, actor=actor) for job in locked)


def uses_of(server: Server) -> list[Use]:
    """Return what is not finished and needs a server, in words."""
    unfinished = with_state(_jobs(server).present()).exclude(state__in=SETTLED)
    in_batches = unfinished.exclude(batch=None).order_by("batch")
    rows = in_batches.values_list("batch", "batch__name").annotate(Count("pk"))
    uses = [
        Use(f"{_copies(count)} of the batch {name}", batch=batch)
        for batch, name, count in rows
    ]
    alone = list(unfinished.filter(batch=None).order_by("pk")[: MOST_NAMED + 1])
    uses += [Use(f"the copy of {job}", job=job.pk) for job in alone[:MOST_NAMED]]
    if len(alone) > MOST_NAMED:
        more = unfinished.filter(batch=None).count() - MOST_NAMED
        uses.append(Use(f"{_copies(more)} more"))
    about = Q(server=server) | Q(wishes__destination_server=server.pk)
    drafts = Batch.objects.drafts().filter(about).select_related("created_by")
    uses += [
        Use(f"an import of {it.created_by} that is not confirmed yet") for it in drafts
    ]
    campaigns = Campaign.objects.open(timezone.now()).filter(server=server)
    return uses + [Use(f"the campaign {it.name}") for it in campaigns.order_by("pk")]


def finished_copies(server: Server) -> int:
    """Return how many copies stay in the lists although they cannot be repeated."""
    return with_state(_jobs(server).present()).filter(state__in=SETTLED).count()


def _jobs(server: Server) -> JobQuerySet:
    jobs: JobQuerySet = Job.objects.filter(
        Q(server=server) | Q(destination_server=server)
    )
    return jobs


def _copies(count: int) -> str:
    return "1 unfinished copy" if count == 1 else f"{thin(count)} unfinished copies"


def _listed(uses: list[Use]) -> str:
    words = [it.words for it in uses]
    if len(words) > MOST_NAMED:
        words = [*words[: MOST_NAMED - 1], f"{len(words) - MOST_NAMED + 1} others"]
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)
