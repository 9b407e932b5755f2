from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.log import Actor
from purelymanage.domains.models import SyncRun
from purelymanage.domains.sync import ACCOUNT

AFTER_FAILURE = timedelta(minutes=10)

_held_back: ContextVar[bool] = ContextVar("syncs_held_back", default=False)


@contextmanager
def syncs_held_back() -> Iterator[None]:
    """Let no write in here ask for a sync: of many, half the calls would be for syncs.

    Whoever holds them back asks for one at the end.
    """
    token = _held_back.set(True)
    try:
        yield
    finally:
        _held_back.reset(token)


def request_sync() -> bool:
    """Queue a sync, unless one is waiting already; tell whether this was needed.

    Call it in the transaction that settles a write: both are there or neither.
    """
    if _held_back.get():
        return False
    run, is_new = SyncRun.objects.get_or_create(state=SyncRun.State.QUEUED)
    if not is_new and run.is_stale:  # its task was lost
        run.started_at = timezone.now()
        run.save(update_fields=["started_at"])
        is_new = True
    if is_new:
        async_task("purelymanage.domains.tasks.sync_if_requested")
    return is_new


def request_sync_again() -> bool:
    """Queue a sync that is wanted each minute, unless the last one has just failed.

    PurelyMail may be away for hours, and is not to be asked all the time meanwhile.
    """
    failed_at = SyncRun.objects.freshness().failed_at
    if failed_at is not None and abs(timezone.now() - failed_at) < AFTER_FAILURE:
        return False
    return request_sync()


@transaction.atomic(durable=True)
def revive_sync() -> None:
    """Queue a sync once more whose task was lost with its worker or its database."""
    waiting = SyncRun.objects.filter(state=SyncRun.State.QUEUED).first()
    if waiting is not None and waiting.is_stale:
        request_sync()


@transaction.atomic(durable=True)
def sync_now(*, actor: Actor) -> None:
    """Queue a sync for somebody who wants to see the present state."""
    if request_sync():
        log.record(Event.SYNC_REQUESTED, actor=actor, target=ACCOUNT)
