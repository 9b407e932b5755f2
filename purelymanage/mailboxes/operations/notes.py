"""What the panel alone knows of a mailbox: a note and tags."""

from __future__ import annotations

import hashlib
import json

from django.db import transaction

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.deletions.models import Kind
from purelymanage.deletions.pending import refuse_if_pending
from purelymanage.errors import Refused
from purelymanage.mailboxes.models import Mailbox


def notes_digest(mailbox: Mailbox) -> str:
    """A short sign of note and tags, by which a form knows what a person was shown."""
    text = json.dumps([mailbox.note, mailbox.tags])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@transaction.atomic(durable=True)
def edit_notes(
    *, mailbox: Mailbox, note: str, tags: list[str], shown: str, actor: User
) -> None:
    """Keep a note and tags, unless somebody has changed what was `shown`."""
    mine = Mailbox.objects.visible_to(actor).present().select_for_update()
    held = mine.filter(pk=mailbox.pk).first()
    if held is None:
        raise Refused(f"{mailbox} is not at PurelyMail any more.")
    refuse_if_pending(Kind.MAILBOX, held.address)
    if notes_digest(held) != shown:
        raise Refused(
            "Somebody has changed the note or the tags meanwhile. What they say now "
            "stands below; saving again replaces it."
        )
    changes = []
    if note != held.note:
        changes.append("the note" if note else "no note any more")
    if added := [tag for tag in tags if tag not in held.tags]:
        changes.append(f"tagged {', '.join(added)}")
    if taken := [tag for tag in held.tags if tag not in tags]:
        changes.append(f"not tagged {', '.join(taken)} any more")
    if not changes and tags == held.tags:
        return
    held.note, held.tags = note, tags
    held.save(update_fields=["note", "tags"])
    log.record(
        Event.MAILBOX_NOTED,
        actor=actor,
        target=held.address,
        changes="; ".join(changes) or "the order of the tags",
    )
