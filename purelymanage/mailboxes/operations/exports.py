from __future__ import annotations

from django.db import transaction

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.figures import thin


@transaction.atomic(durable=True)
def note_export(*, count: int, filters: str, actor: User) -> None:
    """Write down that somebody takes the list of mailboxes along."""
    log.record(
        Event.MAILBOXES_EXPORTED,
        actor=actor,
        target=f"{thin(count)} mailbox{'' if count == 1 else 'es'}",
        filters=filters,
    )
