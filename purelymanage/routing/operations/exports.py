from __future__ import annotations

from django.db import transaction

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.routing.bulk.wording import rules


@transaction.atomic(durable=True)
def note_export(*, count: int, filters: str, actor: User) -> None:
    """Write down that somebody takes the list of rules along."""
    log.record(Event.RULES_EXPORTED, actor=actor, target=rules(count), filters=filters)
