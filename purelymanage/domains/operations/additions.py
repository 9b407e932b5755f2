"""Adding a domain: at once, or as soon as its ownership record is visible."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django_q.tasks import async_task

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.log import Actor
from purelymanage.audit.models import Agent
from purelymanage.domains.dns.names import BadName, domain_name
from purelymanage.domains.models import Addition, Domain, Health, OwnershipCode
from purelymanage.domains.operations.requests import LOOK
from purelymanage.domains.operations.syncing import request_sync
from purelymanage.domains.schedule import backed_off
from purelymanage.domains.visibility import Visibility, visibility
from purelymanage.errors import Refused
from purelymanage.purelymail import types
from purelymanage.purelymail.client import PurelymailClient, get_client
from purelymanage.purelymail.errors import (
    NotApplied,
    NotSent,
    PurelymailError,
    Rejected,
    Unavailable,
)

PATIENCE = 30.0
# While somebody waits in front of the page; later the pauses grow. A look costs two
# questions to the DNS and no call.
AT_ONCE_FOR, AT_ONCE = timedelta(minutes=5), timedelta(seconds=15)
# A little less than a minute, or each second round of the clock would come too soon.
EAGER_FOR, EAGER = timedelta(minutes=15), timedelta(seconds=50)
WORK = "purelymanage.domains.tasks.add_visible"


class NotAdded(Refused):
    """Why a domain was not added. `is_unproven` where its record is not seen."""

    def __init__(self, message: str, *, is_unproven: bool = False) -> None:
        super().__init__(message)
        self.is_unproven = is_unproven


def add_domain(*, name: str, actor: User, allow_account_reset: bool = False) -> Domain:
    """Add a domain now. Raise `NotAdded` with what to do where PurelyMail refuses."""
    addition = _write_down(
        name,
        actor,
        state=Addition.State.ADDING,
        allow_account_reset=allow_account_reset,
    )
    try:
        return _add(addition, actor)
    except PurelymailError as exc:
        error = _not_added(addition.name, exc)
        if addition.next_look_at is None or not _may_pass(exc):
            _settle(addition, str(error), actor)
            raise error from exc
        _wait_on(addition, str(error), pause=AT_ONCE)
        raise NotAdded(
            f"{error} It goes on waiting.", is_unproven=error.is_unproven
        ) from exc


def request_addition(
    *, name: str, actor: User, allow_account_reset: bool = False
) -> Addition:
    """Wait for the ownership record of a domain, and add it then."""
    addition = _write_down(
        name,
        actor,
        state=Addition.State.WAITING,
        allow_account_reset=allow_account_reset,
    )
    _note_request(addition, actor)
    return addition


@transaction.atomic(durable=True)
def cancel_addition(*, addition: Addition, actor: User) -> None:
    """Stop waiting. What is being added at this moment cannot be stopped."""
    waiting = Addition.objects.filter(pk=addition.pk, state=Addition.State.WAITING)
    if not waiting.update(
        state=Addition.State.CANCELLED, settled_at=timezone.now(), next_look_at=None
    ):
        raise Refused(f"{addition.name} does not wait any more.")
    log.record(
        Event.DOMAIN_ADDITION_CANCELLED,
        actor=actor,
        target=addition.name,
        domain=addition.name,
    )


@transaction.atomic(durable=True)
def _write_down(
    name: str, actor: User, *, state: Addition.State, allow_account_reset: bool
) -> Addition:
    try:
        name = domain_name(name)
    except BadName as exc:
        raise NotAdded(str(exc)) from exc
    if actor.domain_scope is not None and name not in actor.domain_scope:
        raise NotAdded(f"You may not add {name}: you look after other domains.")
    if Domain.objects.present().filter(name=name).exists():
        raise NotAdded(f"{name} is in the account already.")
    now = timezone.now()
    is_waiting = state == Addition.State.WAITING
    mine = Addition.objects.filter(name=name, state=Addition.State.WAITING)
    # Its next look stays: it waits again if this comes to nothing.
    if not is_waiting and mine.update(state=state, claimed_at=now):
        return Addition.objects.get(name=name, state=state)
    try:
        with transaction.atomic():
            return Addition.objects.create(
                name=name,
                state=state,
                requested_by=actor,
                requested_at=now,
                expires_at=now + Addition.LASTS,
                next_look_at=now if is_waiting else None,
                claimed_at=None if is_waiting else now,
                allow_account_reset=allow_account_reset,
            )
    except IntegrityError:
        raise NotAdded(f"{name} waits to be added already.") from None


@transaction.atomic(durable=True)
def _note_request(addition: Addition, actor: User) -> None:
    async_task(WORK)
    log.record(
        Event.DOMAIN_ADDITION_REQUESTED,
        actor=actor,
        target=addition.name,
        domain=addition.name,
    )


# In the background


def look_soon() -> None:
    """Queue the looks that are not to wait until the clock's minute is full.

    Once for all hosts: each asks every few seconds.
    """
    now = timezone.now()
    if Addition.objects.due(now).filter(
        requested_at__gt=now - AT_ONCE_FOR
    ).exists() and cache.add(WORK, "queued", AT_ONCE.total_seconds() / 2):
        async_task(WORK)


def add_visible() -> int:
    """Look for what waits, and add what is visible now; return how many were added."""
    now = timezone.now()
    for addition in Addition.objects.abandoned(now):
        _find_out(addition)
    added = 0
    for addition in Addition.objects.due(now):
        if now >= addition.expires_at:
            _expire(addition)
        elif _claim_look(addition, now):
            added += _try(addition)
    return added


def _claim_look(addition: Addition, now: datetime) -> bool:
    """Take one look by setting the next one, so that no other worker does it too."""
    waited = now - addition.requested_at
    if waited < AT_ONCE_FOR:
        pause = AT_ONCE
    else:
        pause = EAGER if waited < EAGER_FOR else backed_off(addition.looks, waited)
    mine = Addition.objects.filter(
        pk=addition.pk,
        state=Addition.State.WAITING,
        next_look_at=addition.next_look_at,
    )
    eager = {"looks": F("looks") + 1} if waited >= EAGER_FOR else {}
    return bool(mine.update(next_look_at=now + pause, looked_at=now, **eager))


def _try(addition: Addition) -> bool:
    seen = visibility(addition.name, OwnershipCode.objects.current())
    if not seen.is_visible:
        _note(addition, seen)
        return False
    now = timezone.now()
    waiting = Addition.objects.filter(pk=addition.pk, state=Addition.State.WAITING)
    if not waiting.update(
        state=Addition.State.ADDING, claimed_at=now, tries=F("tries") + 1
    ):
        return False  # cancelled in between
    try:
        _add(addition, Agent.PANEL)
    except PurelymailError as exc:
        error = _not_added(addition.name, exc)
        if not _may_pass(exc):
            _settle(addition, str(error), Agent.PANEL)
        elif error.is_unproven:
            note = "We see the record, and PurelyMail does not yet. It is asked again."
            _wait_on(addition, note)
        else:
            _wait_on(addition, str(error))
        return False
    return True


def _note(addition: Addition, seen: Visibility) -> None:
    Addition.objects.filter(pk=addition.pk, state=Addition.State.WAITING).update(
        note=seen.sentence[:500]
    )


def _wait_on(addition: Addition, note: str, *, pause: timedelta | None = None) -> None:
    """Let it wait again. PurelyMail is asked ever more seldom."""
    addition.refresh_from_db()
    now = timezone.now()
    if pause is None:
        pause = backed_off(max(addition.tries - 1, 0), now - addition.requested_at)
    Addition.objects.filter(pk=addition.pk, state=Addition.State.ADDING).update(
        state=Addition.State.WAITING,
        claimed_at=None,
        next_look_at=now + pause,
        note=note[:500],
    )


@transaction.atomic(durable=True)
def _expire(addition: Addition) -> None:
    waiting = Addition.objects.filter(pk=addition.pk, state=Addition.State.WAITING)
    if waiting.update(
        state=Addition.State.EXPIRED, settled_at=timezone.now(), next_look_at=None
    ):
        log.record(
            Event.DOMAIN_ADDITION_EXPIRED,
            actor=Agent.PANEL,
            target=addition.name,
            domain=addition.name,
            days=str(Addition.LASTS.days),
        )


def _find_out(addition: Addition) -> None:
    """Settle what a worker left half done, by looking at the account."""
    try:
        found = get_client(patience=PATIENCE).list_domains()
    except PurelymailError:
        return  # the next round tries again
    if any(it.name == addition.name for it in found):
        _settle_added(addition, found, Agent.PANEL)
    elif timezone.now() < addition.expires_at and addition.next_look_at:
        _wait_on(addition, "The panel was interrupted and tries again.")
    else:
        reason = "The panel was interrupted, and PurelyMail does not list the domain."
        _settle(addition, reason, Agent.PANEL)


# At PurelyMail


def _add(addition: Addition, actor: Actor) -> Domain:
    """Add it and read it back. Raise `PurelymailError` where it is not there then."""
    client = get_client(patience=PATIENCE)
    error: PurelymailError | None = None
    try:
        client.add_domain(addition.name)
    except NotSent:
        raise
    except (Rejected, Unavailable) as exc:
        # It may be there already, or be done although its answer was lost.
        if isinstance(exc, Rejected) and (exc.is_about_token or _is_unproven(exc)):
            raise
        error = exc
    found = client.list_domains()
    if not any(it.name == addition.name for it in found):
        raise error or NotApplied
    if not addition.allow_account_reset:
        found = _without_account_reset(client, addition.name, found)
    return _settle_added(addition, found, actor)


def _without_account_reset(
    client: PurelymailClient, name: str, found: list[types.Domain]
) -> list[types.Domain]:
    """Switch off that whoever controls the domain may take over the account.

    The domain is there by now: where this fails, its page shows it as on.
    """
    try:
        client.update_domain_settings(name, allow_account_reset=False)
        return client.list_domains()
    except PurelymailError:
        return found


@transaction.atomic(durable=True)
def _settle_added(
    addition: Addition, found: list[types.Domain], actor: Actor
) -> Domain:
    now = timezone.now()
    it = next(it for it in found if it.name == addition.name)
    columns = asdict(it) | {"first_seen_at": now, "gone_at": None}
    domain, _ = Domain.objects.update_or_create(name=it.name, defaults=columns)
    Health.objects.update_or_create(
        domain=domain, defaults={"touched_at": now, "next_look_at": now}
    )
    mine = Addition.objects.filter(pk=addition.pk, state=Addition.State.ADDING)
    if mine.update(
        state=Addition.State.ADDED, settled_at=now, next_look_at=None, note=""
    ):
        async_task(LOOK)
        log.record(
            Event.DOMAIN_ADDED, actor=actor, target=domain.name, domain=domain.name
        )
    return domain


@transaction.atomic(durable=True)
def _settle(addition: Addition, reason: str, actor: Actor) -> None:
    mine = Addition.objects.filter(pk=addition.pk, state=Addition.State.ADDING)
    if mine.update(
        state=Addition.State.FAILED,
        settled_at=timezone.now(),
        next_look_at=None,
        note=reason[:500],
    ):
        request_sync()
        log.record(
            Event.DOMAIN_ADDITION_FAILED,
            actor=actor,
            target=addition.name,
            domain=addition.name,
            reason=reason,
        )


def _is_unproven(error: PurelymailError) -> bool:
    """Whether it is about the record. The codes are not documented, the words are."""
    return isinstance(error, Rejected) and "ownership" in error.message.lower()


def _may_pass(error: PurelymailError) -> bool:
    """Whether the same may work later: only a clear no is the end of it."""
    is_no = isinstance(error, Rejected) and not error.is_about_token
    return not is_no or _is_unproven(error)


def _not_added(name: str, error: PurelymailError) -> NotAdded:
    if isinstance(error, Rejected) and error.is_about_token:
        return NotAdded("PurelyMail refused the panel's token.")
    if _is_unproven(error):
        return NotAdded(
            f"PurelyMail does not see the ownership record of {name} yet.",
            is_unproven=True,
        )
    if isinstance(error, Rejected) and "already exists" in error.message.lower():
        return NotAdded(
            f"PurelyMail has {name} already, and not in this account. Whoever added it "
            "there has to delete it first; if nobody knows who, ask PurelyMail."
        )
    if isinstance(error, Rejected):
        reason = error.message or "It gave no reason."
        return NotAdded(f"PurelyMail refused {name}: {reason}")
    if isinstance(error, NotApplied):
        return NotAdded(
            f"PurelyMail said that it added {name}, but does not list it. Try again."
        )
    if isinstance(error, NotSent):
        return NotAdded(f"{name} was not added. {error.message}")
    return NotAdded(
        f"Nobody knows yet whether {name} was added: {error.message} The domain "
        "appears in the list if it was."
    )
