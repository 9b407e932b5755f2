"""Tags of many mailboxes, added and taken away without touching the others."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.deletions.models import Kind
from purelymanage.deletions.pending import refuse_if_pending
from purelymanage.errors import Refused
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.tags import distinct, object_to_tags


@transaction.atomic(durable=True)
def change_tags(
    *, mailbox: Mailbox, add: Iterable[str], remove: Iterable[str], actor: User
) -> bool:
    """Add and take away tags; tell whether that did anything."""
    mine = Mailbox.objects.visible_to(actor).present().select_for_update()
    held = mine.filter(pk=mailbox.pk).first()
    if held is None:
        raise Refused(f"{mailbox} is not at PurelyMail any more.")
    refuse_if_pending(Kind.MAILBOX, held.address)
    unwanted = set(distinct(remove))
    kept = [tag for tag in distinct(held.tags) if tag not in unwanted]
    tags = distinct([*kept, *add])
    if tags == held.tags:
        return False
    if len(tags) > len(held.tags) and (objection := object_to_tags(tags)):
        raise Refused(objection)
    changes = []
    if added := [tag for tag in tags if tag not in held.tags]:
        changes.append(f"tagged {', '.join(added)}")
    if taken := [tag for tag in held.tags if tag not in tags]:
        changes.append(f"not tagged {', '.join(taken)} any more")
    held.tags = tags
    held.save(update_fields=["tags"])
    log.record(
        Event.MAILBOX_NOTED,
        actor=actor,
        target=held.address,
        changes="; ".join(changes),
    )
    return True
