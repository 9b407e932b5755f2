"""What people decide: to delete, to approve, to look again, to keep."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.dateformat import format as written

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.models import Entry
from purelymanage.deletions import mails, policy, registry
from purelymanage.deletions.impact import Impact
from purelymanage.deletions.models import Kind, PendingDeletion
from purelymanage.deletions.operations.precautions import ask_for, undo_all
from purelymanage.deletions.pending import refuse_if_pending
from purelymanage.deletions.registry import Subject
from purelymanage.errors import Refused

State = PendingDeletion.State
MOST_AT_ONCE = 200
NO_REASON = "no reason given"
CHANGED = "What goes with it has changed meanwhile. Look at it once more."
TOO_LATE = "That is too late or was done already: look at what became of it."


@transaction.atomic(durable=True)
def request_deletions(
    *,
    kind: str,
    keys: list[str],
    shown: str,
    actor: User,
    reason: str = "",
    lock: bool = False,
    route_to: str = "",
) -> list[PendingDeletion]:
    """Queue objects for their deletion once the waiting time has passed.

    `shown` is the digest of the impact that the person has seen: they must not agree
    to more than that.
    """
    _check_right(actor)
    chosen = subjects(kind, keys, actor)
    impacts = impacts_of(kind, chosen)
    if digest(impacts) != shown:
        raise Refused(CHANGED)

    now = timezone.now()
    needs_approval = policy.needs_second_person(
        kind, len(chosen), {subject.domain for subject in chosen}
    )
    hour = None if needs_approval else now + policy.grace()
    batch = uuid.uuid4()
    deletions = []
    for subject, impact in zip(chosen, impacts, strict=True):
        refuse_if_pending(kind, subject.key, domain=subject.domain)
        deletions.append(
            PendingDeletion(
                kind=kind,
                key=subject.key,
                label=subject.label,
                domain=subject.domain,
                impact=impact.as_json(),
                restore=subject.restore,
                reason=reason,
                batch=batch,
                requested_by=actor,
                requested_at=now,
                state=State.APPROVAL if needs_approval else State.WAITING,
                waits_since=None if needs_approval else now,
                delete_after=hour,
                warned_at=_told_already(now, hour),
            )
        )
    try:
        with transaction.atomic():
            PendingDeletion.objects.bulk_create(deletions)
    except IntegrityError as exc:
        raise Refused("Somebody else has just asked for this deletion.") from exc

    for deletion in deletions:
        ask_for(deletion, lock=lock, route_to=route_to)
    mails.tell_of_request(deletions, actor=actor)
    registry.freeze(kind, [deletion.key for deletion in deletions], actor)
    log.record_many([_note_request(deletion, actor) for deletion in deletions])
    return deletions


@transaction.atomic(durable=True)
def cancel_deletions(*, deletions: list[PendingDeletion], actor: User) -> int:
    """Keep what waits. Return how many could still be cancelled.

    Of a cancellation and an execution at the same moment one finds nothing to claim.
    """
    _check_right(actor)
    entries = []
    for deletion in _in_order(deletions):
        if _settle(deletion, State.CANCELLED, actor):
            undo_all(deletion)
            entries.append(_note(Event.DELETION_CANCELLED, deletion, actor))
            entries += registry.keep(deletion.kind, deletion.key, actor)
    log.record_many(entries)
    return len(entries)


@transaction.atomic(durable=True)
def look_again(*, deletion: PendingDeletion, shown: str, actor: User) -> None:
    """Want a stopped deletion still, with all that joined. It waits from the start.

    Whoever looks takes it over: what joined may be more than the first person wanted.
    """
    _check_right(actor)
    deletion.refresh_from_db()
    impact = impact_now(deletion, actor)
    if digest([impact]) != shown:
        raise Refused(CHANGED)
    now = timezone.now()
    needs_approval = policy.needs_second_person(deletion.kind, 1, {deletion.domain})
    hour = None if needs_approval else now + policy.grace()
    if not PendingDeletion.objects.filter(pk=deletion.pk, state=State.PAUSED).update(
        state=State.APPROVAL if needs_approval else State.WAITING,
        impact=impact.as_json(),
        found={},
        requested_by=actor,
        approved_by=None,
        waits_since=None if needs_approval else now,
        delete_after=hour,
        warned_at=_told_already(now, hour),
        note="",
    ):
        raise Refused(TOO_LATE)
    deletion.refresh_from_db()
    mails.tell_of_request([deletion], actor=actor)
    if needs_approval:
        entry = _note_request(deletion, actor)
    else:
        when = moment(hour)
        entry = _note(Event.DELETION_CONFIRMED, deletion, actor, when=when)
    log.record_many([entry])


@transaction.atomic(durable=True)
def approve_deletions(*, deletions: list[PendingDeletion], actor: User) -> None:
    """Agree as the second person. The waiting time begins now."""
    _check_right(actor)
    now = timezone.now()
    hour = now + policy.grace()
    for deletion in _in_order(deletions):
        _refuse_requester(deletion, actor)
        waiting = PendingDeletion.objects.filter(pk=deletion.pk, state=State.APPROVAL)
        # The person is part of the condition: it may just have been taken over.
        if not waiting.exclude(requested_by=actor).update(
            state=State.WAITING,
            approved_by=actor,
            waits_since=now,
            delete_after=hour,
            warned_at=_told_already(now, hour),
        ):
            raise Refused(TOO_LATE)
        deletion.refresh_from_db()
    mails.tell_of_request(deletions, actor=actor)
    log.record_many(
        [
            _note(Event.DELETION_APPROVED, it, actor, when=moment(hour))
            for it in deletions
        ]
    )


@transaction.atomic(durable=True)
def refuse_deletions(
    *, deletions: list[PendingDeletion], note: str, actor: User
) -> None:
    """Disagree as the second person, which ends the matter."""
    _check_right(actor)
    kept = []
    for deletion in _in_order(deletions):
        _refuse_requester(deletion, actor)
        if not _settle(deletion, State.REFUSED, actor, only=State.APPROVAL, note=note):
            raise Refused(TOO_LATE)
        undo_all(deletion)
        kept += registry.keep(deletion.kind, deletion.key, actor)
    reason = note or NO_REASON
    refused = [
        _note(Event.DELETION_REFUSED, it, actor, reason=reason) for it in deletions
    ]
    log.record_many([*refused, *kept])


def subjects(kind: str, keys: list[str], actor: User) -> list[Subject]:
    """Return what the keys name, as far as this person may see it, or refuse."""
    if kind not in Kind or not keys:
        raise Refused("Nothing was chosen.")
    if any("\0" in key for key in keys):  # PostgreSQL knows none, and nobody means it
        raise Refused("There is nothing like this.")
    if len(keys) > MOST_AT_ONCE:
        raise Refused(f"At most {MOST_AT_ONCE} can be deleted at once.")
    wanted = list(dict.fromkeys(keys))
    chosen = registry.handler(kind).find(wanted, actor)
    if len(chosen) < len(wanted):
        raise Refused("Some of it is not there any more.")
    return chosen


def impacts_of(kind: str, chosen: list[Subject]) -> list[Impact]:
    """Return what goes with each, as the mirror knows it."""
    keys = [subject.key for subject in chosen]
    found = registry.impacts_of(kind, keys, registry.mirrored_account())
    return [impact or Impact() for impact in found]


def impact_now(deletion: PendingDeletion, actor: User) -> Impact:
    """Return what goes with a stopped deletion, by the mirror and by what stopped it.

    The mirror may be older than the stop, or newer: then it is not to miss anything.
    """
    [subject] = subjects(deletion.kind, [deletion.key], actor)
    account = registry.mirrored_account().plus(deletion.stopped_by)
    return registry.impact_of(deletion.kind, subject.key, account) or Impact()


def digest(impacts: list[Impact]) -> str:
    return Impact(facts=frozenset(f for it in impacts for f in it.facts)).digest


def moment(at: datetime | None) -> str:
    """Write an hour for the audit log, which outlives the time zone of the panel."""
    return written(timezone.localtime(at), "j F Y, H:i T") if at else "an unknown day"


def _told_already(now: datetime, hour: datetime | None) -> datetime | None:
    """Where the whole waiting time is no longer than the warning, this was it."""
    return now if hour is not None and hour - now <= policy.NOTICE else None


def _check_right(actor: User) -> None:
    if not actor.may(Right.DELETE):
        raise Refused("Your role does not allow this.")


def _refuse_requester(deletion: PendingDeletion, actor: User) -> None:
    if deletion.requested_by_id == actor.pk:
        raise Refused("A second person has to decide this, not the one who asked.")


def _settle(
    deletion: PendingDeletion,
    state: State,
    actor: User,
    *,
    only: State | None = None,
    note: str = "",
) -> bool:
    found = PendingDeletion.objects.cancellable().filter(pk=deletion.pk)
    if only:
        found = found.filter(state=only)
    return bool(
        found.update(
            state=state,
            settled_at=timezone.now(),
            settled_by=actor,
            note=note[:500],
            found={},
        )
    )


def _in_order(deletions: list[PendingDeletion]) -> list[PendingDeletion]:
    """Return them in the order in which everybody locks them."""
    return sorted(deletions, key=lambda deletion: deletion.pk)


def _note_request(deletion: PendingDeletion, actor: User) -> Entry:
    reason = deletion.reason or NO_REASON
    if deletion.delete_after is None:
        return _note(Event.DELETION_PROPOSED, deletion, actor, reason=reason)
    when = moment(deletion.delete_after)
    return _note(Event.DELETION_REQUESTED, deletion, actor, when=when, reason=reason)


def _note(
    event: Event, deletion: PendingDeletion, actor: User, **details: str
) -> Entry:
    return log.note(
        event,
        actor=actor,
        target=deletion.label,
        domain=deletion.domain,
        what=deletion.name,
        diff=None,
        **details,
    )
