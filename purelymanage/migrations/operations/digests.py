"""One word for a whole batch: what became of it when nothing of it is left to do."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.figures import thin
from purelymanage.migrations.job_states import with_state
from purelymanage.migrations.models import Batch, Job, JobAction, Launch, Run
from purelymanage.migrations.models.batches import BatchQuerySet
from purelymanage.migrations.operations.secrets import EXPIRED
from purelymanage.migrations.references import batch_entry

# How each state reads behind one number and behind all others, in the order told.
WORDS = {
    "complete": ("complete", "complete"),
    "left_out": (
        "complete with messages left out",
        "complete with messages left out",
    ),
    "planned": ("plan ready", "plans ready"),
    "password": ("needs a password", "need a password"),
    "not_let_in": ("was not let in", "were not let in"),
    "no_answer": ("got no answer", "got no answer"),
    "failed": ("failed", "failed"),
    "stopped": ("stopped", "stopped"),
    "idle": ("not begun", "not begun"),
}
# Of these, the first few are named: somebody has to look at them.
NAMED = {"password", "not_let_in", "no_answer", "failed"}
MOST_NAMED = 3
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def tell_of_batches() -> int:
    """Tell of each batch that has come to an end since it was told of; return how many.

    It is looked for by the clock, so that nothing is lost whatever ended its last job.
    """
    keys = _to_tell().values_list("pk", flat=True)
    return sum(_tell(pk) for pk in list(keys.order_by("pk")))


@transaction.atomic(durable=True)
def _tell(pk: int) -> bool:
    rows = Batch.objects.select_for_update(no_key=True, skip_locked=True)
    batch = rows.defer("sheet").filter(pk=pk).first()
    now = timezone.now()
    # Another worker may have told meanwhile, or somebody has queued more.
    if batch is None or not _to_tell().filter(pk=pk).exists():
        return False
    since = batch.told_at or NEVER
    copies = Run.objects.filter(job__batch=batch, dry_run=False, finished_at__gt=since)
    copied = copies.filter(started_at__isnull=False).exists()
    batch.told_at = now
    batch.save(update_fields=["told_at"])
    event = Event.BATCH_FINISHED if copied else Event.BATCH_PLANNED
    log.record_many([batch_entry(event, batch, outcome=_outcome(batch))])
    return True


def _to_tell() -> BatchQuerySet:
    """Return the batches with nothing under way and something that ran since."""
    actions = JobAction.objects.unfinished()
    launches = Launch.objects.unfinished()
    untried = Job.objects.with_untried_login().exclude(batch=None)
    open_runs = Run.objects.open().exclude(job__batch=None)
    since = Coalesce(OuterRef("told_at"), Value(NEVER))
    # What was stopped before it began has not run. Whose password expired while it
    # waited to go on has ended, but that was told by itself.
    ran = Run.objects.filter(
        job__batch=OuterRef("pk"), started_at__isnull=False, finished_at__gt=since
    ).exclude(failure=EXPIRED)
    refused = Job.objects.present().filter(
        batch=OuterRef("pk"),
        login__in=[Job.Login.WRONG, Job.Login.UNKNOWN],
        login_tried_at__gt=since,
    )
    return (
        Batch.objects.confirmed()
        .exclude(pk__in=open_runs.values("job__batch"))
        .exclude(pk__in=untried.values("batch"))
        .exclude(pk__in=actions.values("batch"))
        .exclude(pk__in=launches.values("campaign__batch"))
        .filter(Q(Exists(ran)) | Q(Exists(refused)))
    )


def _outcome(batch: Batch) -> str:
    """Count the jobs by what became of them, and name those that need somebody."""
    jobs = with_state(Job.objects.present().filter(batch=batch))
    found: dict[str, list[str]] = {}
    for code, name in jobs.order_by("number", "pk").values_list("state", "destination"):
        found.setdefault(code, []).append(name)
    parts = []
    for code, (one, many) in WORDS.items():
        if names := found.get(code):
            part = f"{thin(len(names))} {one if len(names) == 1 else many}"
            parts.append(part + (_named(names) if code in NAMED else ""))
    return ", ".join(parts) or "no mailbox is left in it"


def _named(names: list[str]) -> str:
    shown = ", ".join(names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return f" ({shown} and {thin(more)} more)" if more > 0 else f" ({shown})"
