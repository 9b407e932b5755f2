"""How a batch is to run, changed while it does."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit.events import Event
from purelymanage.errors import Refused
from purelymanage.migrations import queue
from purelymanage.migrations.models import Batch
from purelymanage.migrations.references import record_batch

PRIORITIES = {1: "before others", 0: "like others", -1: "after others"}


@transaction.atomic(durable=True)
def pause_batch(*, batch: Batch, actor: User) -> None:
    """Let nothing of a batch begin any more; what runs goes on to its end."""
    held = _hold(batch)
    if held.paused_at is not None:
        raise Refused("This batch is paused already.")
    held.paused_at = timezone.now()
    held.save(update_fields=["paused_at"])
    record_batch(Event.BATCH_PAUSED, held, actor=actor)
    queue.take_back()
    queue.dispatch()


@transaction.atomic(durable=True)
def resume_batch(*, batch: Batch, actor: User) -> None:
    held = _hold(batch)
    if held.paused_at is None:
        raise Refused("This batch is not paused.")
    held.paused_at = None
    held.save(update_fields=["paused_at"])
    record_batch(Event.BATCH_RESUMED, held, actor=actor)
    queue.dispatch()


@transaction.atomic(durable=True)
def change_batch(
    *, batch: Batch, parallel_runs: int | None, priority: int, actor: User
) -> None:
    """Change how many run at once, and whether they go before those of others."""
    held = _hold(batch)
    changes = []
    if held.parallel_runs != parallel_runs:
        old, new = _number(held.parallel_runs), _number(parallel_runs)
        changes.append(f"copies at the same time from {old} to {new}")
    if held.priority != priority:
        old, new = _place(held.priority), _place(priority)
        changes.append(f"its turn from {old} to {new}")
    if not changes:
        return
    held.parallel_runs, held.priority = parallel_runs, priority
    held.save(update_fields=["parallel_runs", "priority"])
    record_batch(Event.BATCH_CHANGED, held, actor=actor, changes=", ".join(changes))
    # What was handed out by the old rules and has not begun is chosen once more.
    queue.take_back()
    queue.dispatch()


def _hold(batch: Batch) -> Batch:
    return Batch.objects.confirmed().select_for_update().get(pk=batch.pk)


def _number(limit: int | None) -> str:
    return "no limit of its own" if limit is None else str(limit)


def _place(priority: int) -> str:
    return PRIORITIES.get(priority, str(priority))
