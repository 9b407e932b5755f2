from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from purelymanage.audit import checkpoints, log
from purelymanage.audit.events import Event
from purelymanage.audit.kinds import kinds_for
from purelymanage.audit.models import Agent, By, ChainCheck, Notice, NotificationChoice
from purelymanage.audit.notices import choices_of
from purelymanage.audit.verification import Position, Walk, walk

if TYPE_CHECKING:
    from purelymanage.audit.viewer import Person

logger = logging.getLogger(__name__)

LEG = 120.0  # seconds; well below the time limit of a task
STALE_AFTER = timedelta(hours=6)
KEPT = timedelta(days=365)
LOG = "the audit log"  # what events about the chain are about


def check_chain() -> ChainCheck:
    """Walk one leg along the chain; a long one goes on in another task."""
    now = timezone.now()
    check = ChainCheck.objects.under_way(now - STALE_AFTER) or ChainCheck()
    found = walk(
        known=ChainCheck.objects.positions(),
        since=Position(check.sequence, check.hmac),
        seconds=LEG,
    )
    _settle(check, found)
    return check


@transaction.atomic(durable=True)
def _settle(check: ChainCheck, found: Walk) -> None:
    before = ChainCheck.objects.latest_finished()
    now = timezone.now()
    check.sequence, check.hmac = found.position.sequence, found.position.hmac
    check.problem = found.problem
    if found.is_finished:
        check.finished_at = now
        ChainCheck.objects.filter(begun_at__lt=now - KEPT).delete()
    check.save()
    if not found.is_finished:
        async_task("purelymanage.audit.tasks.check_chain")
    elif not found.problem:
        checkpoints.hand_out(found.position, now)
    elif before is None or before.problem != found.problem:
        logger.error("The audit chain is broken: %s", found.problem)
        log.record(
            Event.CHAIN_BROKEN, actor=Agent.PANEL, target=LOG, reason=found.problem
        )


@transaction.atomic(durable=True)
def note_export(*, form: str, filters: dict[str, str], actor: Person) -> None:
    """Write down that somebody takes the audit log along."""
    said = ", ".join(f"{name} {value}" for name, value in filters.items())
    log.record(
        Event.ENTRIES_EXPORTED,
        actor=actor,
        target=LOG,
        form=form.upper(),
        filters=said or "all of it",
    )


@transaction.atomic(durable=True)
def choose_notifications(*, person: Person, choices: dict[str, By]) -> None:
    """Set how a person hears of each kind."""
    before = choices_of(person)
    allowed = {kind.code: kind for kind in kinds_for(person)}
    changed = {
        code: by
        for code, by in choices.items()
        if code in allowed and by != before[code]
    }
    for code, by in changed.items():
        NotificationChoice.objects.update_or_create(
            person_id=person.pk, kind=code, defaults={"by": by}
        )
    if changed:
        log.record(
            Event.NOTIFICATIONS_CHOSEN,
            actor=person,
            target=person.email,
            changes=", ".join(
                f"{allowed[code].name} {by.label.lower()}"
                for code, by in changed.items()
            ),
        )


def mark_seen(*, person: Person, up_to: int) -> int:
    """Take notices for read, up to the newest that was shown."""
    unseen = Notice.objects.of(person).unseen().filter(pk__lte=up_to)
    return unseen.update(seen_at=timezone.now())
