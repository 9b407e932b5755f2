"""Reads the whole account into the mirror, or changes nothing.

Each app that mirrors something registers a `Part` when it is ready: so the apps to the
left need not know those to the right. All parts are fetched first, outside any
transaction, and then applied in one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django_q.tasks import async_task

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.log import Actor, Diff
from purelymanage.audit.models import Agent, Entry
from purelymanage.domains.models import SyncRun
from purelymanage.errors import Refused
from purelymanage.purelymail.client import PurelymailClient, get_client
from purelymanage.purelymail.errors import PurelymailError, Rejected, explained

ACCOUNT = "the account"  # what events about a sync are about
PATIENCE = 60.0
BELIEVED_AFTER = timedelta(hours=2)
KEPT = timedelta(days=30)

T = TypeVar("T")


class IsDue(Protocol):
    def __call__(self, *, asked: bool) -> bool: ...


def _always(*, asked: bool) -> bool:
    return True


class Implausible(Exception):
    """A list that is more likely a mistake than true."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a part must know about the sync it is applied by.

    The account was looked at after `began_at`: whatever the panel changed since then
    is newer than what was read.
    """

    began_at: datetime
    is_first: bool
    found: list[Entry] = field(default_factory=list)

    def report(
        self,
        event: Event,
        target: str,
        *,
        domain: str = "",
        diff: Diff | None = None,
        **details: str,
    ) -> None:
        """Note what somebody did outside this panel. The first sync finds it all.

        It is recorded when all parts have been applied: a thousand changes lock the
        audit log once, and for a moment only.
        """
        if not self.is_first:
            self.found.append(
                log.note(
                    event,
                    actor=Agent.OUTSIDE,
                    target=target,
                    domain=domain,
                    diff=diff,
                    **details,
                )
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Part(Generic[T]):
    """Something that is mirrored.

    `check` raises `Implausible`; `apply` returns what it found in a few words. A part
    that need not be read each time says by `is_due` when, given whether somebody
    `asked` for the sync.
    """

    name: str
    fetch: Callable[[PurelymailClient], T]
    apply: Callable[[T, Reading], str]
    check: Callable[[T], None] = lambda _: None
    is_due: IsDue = _always


_parts: dict[str, Part[Any]] = {}


def register(part: Part[Any]) -> None:
    """Let `part` be read by every sync from now on."""
    _parts[part.name] = part


def expect_some(found: list[Any], known: models.QuerySet[Any], name: str) -> None:
    """Raise `Implausible` where nothing is listed although something was there."""
    if not found and known.exists():
        raise Implausible(
            f"PurelyMail listed no {name} although there were some. This is believed "
            "only if it stays so for two hours."
        )


def sync(*, actor: Actor, asked: bool = True) -> SyncRun:
    """Read the account once. Raise `Refused` where another sync is running.

    Not `asked` is the one by the clock, which leaves out what is not due.

    Whatever goes wrong with PurelyMail is told by the run that is returned.
    """
    run = _claim()
    if run is None:
        raise Refused("A sync is running already.")
    try:
        _apply(run, _read(run, asked=asked))
    except (PurelymailError, Implausible) as exc:
        _fail(run, _sentence(exc), actor)
    except BaseException:  # the queue ends a task that takes too long by SystemExit
        _fail(run, "The panel itself failed. Its log says why.", actor)
        raise
    if SyncRun.objects.filter(state=SyncRun.State.QUEUED).exists():
        # Asked for while this one ran, so its own task may have found it running.
        async_task("purelymanage.domains.tasks.sync_if_requested")
    run.refresh_from_db()
    return run


@transaction.atomic(durable=True)
def _claim() -> SyncRun | None:
    """Begin the sync that is queued, or else a new one, unless one is running."""
    now = timezone.now()
    fresh = (now - SyncRun.STALE_AFTER, now + SyncRun.STALE_AFTER)
    stale = SyncRun.objects.exclude(started_at__range=fresh)
    stale.filter(state=SyncRun.State.RUNNING).update(
        state=SyncRun.State.FAILED, finished_at=now, reason="It was interrupted."
    )
    queued = SyncRun.objects.filter(state=SyncRun.State.QUEUED)
    try:
        with transaction.atomic():
            if not queued.update(state=SyncRun.State.RUNNING, started_at=now):
                return SyncRun.objects.create(started_at=now)
    except IntegrityError:
        return None
    return SyncRun.objects.get(state=SyncRun.State.RUNNING)


def _read(run: SyncRun, *, asked: bool) -> list[tuple[Part[Any], Any]]:
    client = get_client(patience=PATIENCE)
    due = [part for part in _parts.values() if part.is_due(asked=asked)]
    found = []
    for part in due:
        found.append((part, part.fetch(client)))
        _note_arrival(run, found)
    for part, data in found:
        try:
            part.check(data)
        except Implausible as exc:
            if not _has_been_said_for_long(str(exc)):
                raise
    return found


def _note_arrival(run: SyncRun, found: list[tuple[Part[Any], Any]]) -> None:
    """Say how much of each list is here, to people who wait for all of it."""
    arrived = {it.name: len(data) for it, data in found if isinstance(data, list)}
    SyncRun.objects.filter(pk=run.pk).update(arrived=arrived)


def _has_been_said_for_long(reason: str) -> bool:
    """Whether every answer since the last good sync made the same doubtful claim."""
    done = SyncRun.objects.filter(state=SyncRun.State.DONE)
    last = done.order_by("-finished_at").first()
    failed = SyncRun.objects.filter(state=SyncRun.State.FAILED, reason=reason)
    if last and last.finished_at:
        failed = failed.filter(finished_at__gt=last.finished_at)
    return failed.filter(finished_at__lt=timezone.now() - BELIEVED_AFTER).exists()


@transaction.atomic(durable=True)
def _apply(run: SyncRun, found: list[tuple[Part[Any], Any]]) -> None:
    reading = Reading(
        began_at=run.started_at,
        is_first=not SyncRun.objects.filter(state=SyncRun.State.DONE).exists(),
    )
    words = [part.apply(data, reading) for part, data in found]
    now = timezone.now()
    mine = SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.RUNNING)
    if not mine.update(
        state=SyncRun.State.DONE,
        finished_at=now,
        summary=", ".join(filter(None, words))[:500],
    ):
        raise RuntimeError("Another sync has taken this one's place.")
    SyncRun.objects.filter(finished_at__lt=now - KEPT).delete()
    log.record_many(reading.found)


@transaction.atomic(durable=True)
def _fail(run: SyncRun, reason: str, actor: Actor) -> None:
    """Settle a run as failed. The same reason again is no news for the audit log."""
    finished = SyncRun.objects.exclude(finished_at=None)
    previous = finished.order_by("-finished_at").first()
    mine = SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.RUNNING)
    if not mine.update(
        state=SyncRun.State.FAILED, finished_at=timezone.now(), reason=reason
    ):
        return
    if previous is None or previous.reason != reason:
        log.record(Event.SYNC_FAILED, actor=actor, target=ACCOUNT, reason=reason)


def _sentence(error: PurelymailError | Implausible) -> str:
    if not isinstance(error, Rejected):
        return str(error)
    sentence, next_step = explained(error)
    return (f"{sentence} {next_step}" if error.is_about_token else sentence)[:500]
