"""Doing what has to follow a rename: at once, again by a person, or by a sweep."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.actors import Actor, actor_of
from purelymanage.audit.events import Event
from purelymanage.errors import Refused
from purelymanage.mailboxes.followers import Task, errands
from purelymanage.mailboxes.models import Change, FollowUp
from purelymanage.mailboxes.operations.renaming import PLAN, rename_of
from purelymanage.purelymail.client import PurelymailClient, get_client
from purelymanage.purelymail.errors import PurelymailError, Rejected

AT_ONCE = 10
LONGEST_PAUSE = 60  # minutes
PATIENCE = 60.0  # for the budget; nobody waits in front of a page


def follow_up(*, change: Change, actor: Actor) -> bool:
    """Do all that is left to do after a rename. Return whether nothing is left.

    What fails is told on its line and does not keep the others from being done.
    """
    _open_again(change)
    _work_off(change, actor)
    return not FollowUp.objects.open().filter(change=change).exists()


@transaction.atomic(durable=True)
def try_again(*, change: Change, actor: User) -> None:
    """Have what is left done in the background, for whoever asks for it now."""
    _open_again(change)
    async_task("purelymanage.mailboxes.tasks.follow_rename", change.pk, actor.pk)


def follow_up_due() -> int:
    """Go on with what a crash or an outage left; return how many lines were done."""
    due = FollowUp.objects.due(timezone.now()).values("change")
    changes = Change.objects.filter(pk__in=due).select_related("requested_by")
    return sum(_work_off(it, actor_of(it)) for it in changes.order_by("pk")[:AT_ONCE])


def _work_off(change: Change, actor: Actor) -> int:
    """Do the lines of one rename in their order, those too that a first one adds."""
    client, done = get_client(patience=PATIENCE), 0
    while row := FollowUp.objects.filter(change=change).due(timezone.now()).first():
        done += _work(row, actor, client)
    return done


def _work(row: FollowUp, actor: Actor, client: PurelymailClient) -> bool:
    """Do one line, unless somebody else does; return whether it is done."""
    held = FollowUp.objects.filter(
        pk=row.pk, tries=row.tries, state=FollowUp.State.WAITING
    )
    now = timezone.now()
    if not held.update(
        tries=row.tries + 1, not_before=now + FollowUp.LEASE, outcome=""
    ):
        return False
    row.tries += 1
    errand, rename = errands()[row.follower], rename_of(row.change)
    try:
        if row.key == PLAN:
            _plan(row, list(errand.plan(rename, actor, client)))
            return True
        outcome = errand.do(rename, row.key, actor, client)
    except Refused as exc:
        is_outage = bool(getattr(exc, "is_outage", False))
        _note_failed(row, str(exc), actor, is_outage=is_outage)
        return False
    except PurelymailError as exc:
        is_outage = not isinstance(exc, Rejected)
        _note_failed(row, exc.message, actor, is_outage=is_outage)
        return False
    _note_done(row, outcome)
    return True


def _open_again(change: Change) -> None:
    failed = FollowUp.objects.filter(change=change, state=FollowUp.State.FAILED)
    # Those put off, too, but none that is being done at this moment.
    idle = FollowUp.objects.filter(change=change, state=FollowUp.State.WAITING)
    for rows in (failed, idle.exclude(outcome="")):
        rows.update(state=FollowUp.State.WAITING, outcome="", not_before=timezone.now())


@transaction.atomic(durable=True)
def _plan(row: FollowUp, tasks: Iterable[Task]) -> None:
    FollowUp.objects.bulk_create(
        [
            FollowUp(
                change=row.change,
                follower=row.follower,
                key=task.key,
                label=task.label[:500],
                domain=task.domain,
                position=task.position,
            )
            for task in tasks
        ],
        ignore_conflicts=True,
    )
    FollowUp.objects.filter(pk=row.pk).update(state=FollowUp.State.DONE, outcome="")


@transaction.atomic(durable=True)
def _note_done(row: FollowUp, outcome: str) -> None:
    FollowUp.objects.filter(pk=row.pk).update(
        state=FollowUp.State.DONE, outcome=outcome[:500]
    )


@transaction.atomic(durable=True)
def _note_failed(row: FollowUp, reason: str, actor: Actor, *, is_outage: bool) -> None:
    """Tell it on the line. An outage passes by itself, a refusal is for a person."""
    pause = timedelta(minutes=min(2**row.tries, LONGEST_PAUSE))
    FollowUp.objects.filter(pk=row.pk, tries=row.tries).update(
        state=FollowUp.State.WAITING if is_outage else FollowUp.State.FAILED,
        outcome=reason[:500] or "PurelyMail gave no reason.",
        not_before=timezone.now() + pause,
    )
    if is_outage and row.tries != 1:
        return
    log.record(
        Event.RENAME_INCOMPLETE,
        actor=actor,
        target=rename_of(row.change).new,
        domain=row.domain,
        what=row.label,
        reason=reason or "PurelyMail gave no reason.",
    )
