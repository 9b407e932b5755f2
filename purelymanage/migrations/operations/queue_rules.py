"""Changing how the queue works, while it works."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time

from django.db import transaction
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.log import Actor
from purelymanage.errors import Refused
from purelymanage.migrations import queue
from purelymanage.migrations.models import QueueRules

QUEUE = "the queue of copies"


@transaction.atomic(durable=True)
def pause_queue(*, actor: Actor) -> None:
    """Let nothing begin any more; what runs goes on to its end."""
    rules = QueueRules.objects.locked()
    if rules.paused_at is not None:
        raise Refused("The queue is paused already.")
    rules.paused_at = timezone.now()
    rules.paused_by = actor if isinstance(actor, User) else None
    rules.save(update_fields=["paused_at", "paused_by"])
    log.record(Event.QUEUE_PAUSED, actor=actor, target=QUEUE)
    queue.take_back()


@transaction.atomic(durable=True)
def resume_queue(*, actor: Actor) -> None:
    rules = QueueRules.objects.locked()
    if rules.paused_at is None:
        raise Refused("The queue is not paused.")
    rules.paused_at = rules.paused_by = None
    rules.save(update_fields=["paused_at", "paused_by"])
    log.record(Event.QUEUE_RESUMED, actor=actor, target=QUEUE)
    queue.dispatch()


@transaction.atomic(durable=True)
def limit_queue(*, parallel_runs: int, actor: Actor) -> None:
    """Let so many copies run at once; with fewer, those that run go on to their end."""
    rules = QueueRules.objects.locked()
    _change(rules, {"parallel_runs": parallel_runs}, actor)


@transaction.atomic(durable=True)
def edit_queue(
    *,
    parallel_runs: int,
    pause_from: time | None,
    pause_until: time | None,
    actor: Actor,
) -> None:
    """Change the limit and the hours in which copies make a pause."""
    new = {
        "parallel_runs": parallel_runs,
        "pause_from": pause_from,
        "pause_until": pause_until,
    }
    _change(QueueRules.objects.locked(), new, actor)


def _change(rules: QueueRules, new: Mapping[str, object], actor: Actor) -> None:
    changed = {key for key, value in new.items() if getattr(rules, key) != value}
    if not changed:
        return
    changes = ", ".join(
        f"{NAMES[key]} from {_shown(getattr(rules, key))} to {_shown(new[key])}"
        for key in new
        if key in changed
    )
    for key in changed:
        setattr(rules, key, new[key])
    rules.save(update_fields=sorted(changed))
    log.record(Event.QUEUE_CHANGED, actor=actor, target=QUEUE, changes=changes)
    # What was handed out by the old rules and has not begun is chosen once more.
    queue.take_back()
    queue.dispatch()


NAMES = {
    "parallel_runs": "copies at the same time",
    "pause_from": "the begin of the pause",
    "pause_until": "the end of the pause",
}


def _shown(value: object) -> str:
    if isinstance(value, time):
        return f"{value:%H:%M}"
    return "none" if value is None else str(value)
