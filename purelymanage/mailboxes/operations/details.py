"""What the list of mailboxes does not tell: read slowly, and when somebody looks."""

from __future__ import annotations

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent
from purelymanage.mailboxes.models import Change, Mailbox
from purelymanage.purelymail.client import PurelymailClient
from purelymanage.purelymail.errors import Rejected, Unreadable
from purelymanage.purelymail.types import UserDetails

DETAIL_NAMES = {
    "two_factor": "two-factor sign-in",
    "reset_allowed": "password reset",
    "search_indexing": "search indexing",
    "spam_filtering": "spam filtering",
}


def ask_for_details(*, mailbox: Mailbox) -> None:
    """Have the details read again, as somebody looks at them; once a minute at most."""
    if mailbox.gone_at is None and cache.add(f"details:{mailbox.pk}", "asked", 60):
        async_task("purelymanage.mailboxes.tasks.read_details", mailbox.pk)


def are_details_awaited(mailbox: Mailbox) -> bool:
    """Tell whether somebody has just asked for them, so that news may come."""
    return cache.get(f"details:{mailbox.pk}") is not None


def refresh_details(*, mailbox: Mailbox, client: PurelymailClient) -> None:
    """Read what the list of mailboxes does not tell; changes become audit events."""
    try:
        details = client.get_user(mailbox.address)
    except (Rejected, Unreadable) as exc:
        if isinstance(exc, Rejected) and exc.is_about_token:
            raise
        # Most likely gone, which the next sync will see. Do not ask each minute.
        Mailbox.objects.filter(pk=mailbox.pk).update(details_at=timezone.now())
    else:
        _note_details(mailbox, details)


@transaction.atomic(durable=True)
def _note_details(mailbox: Mailbox, details: UserDetails) -> None:
    columns = details.as_columns()
    ours = _being_changed(mailbox)
    changes = [
        f"{name} {'on' if columns[column] else 'off'}"
        for column, name in DETAIL_NAMES.items()
        if column not in ours
        and getattr(mailbox, column) not in (None, columns[column])
    ]
    if (
        mailbox.details_at
        and "recovery_methods" not in ours
        and mailbox.recovery_methods != columns["recovery_methods"]
    ):
        changes.append("recovery methods")
    # Only while the row is as it was read: the panel may have changed it meanwhile.
    unchanged = Mailbox.objects.filter(pk=mailbox.pk, details_at=mailbox.details_at)
    if not unchanged.update(**columns, details_at=timezone.now()):
        return
    if changes:
        log.record(
            Event.MAILBOX_CHANGED,
            actor=Agent.OUTSIDE,
            target=mailbox.address,
            changes=", ".join(changes),
        )


def _being_changed(mailbox: Mailbox) -> set[str]:
    """Return the columns that the panel itself has just asked to change.

    Whoever settles that tells of it, and it is nobody else's doing.
    """
    change = Change.objects.asked().filter(mailbox=mailbox).first()
    if change is None:
        return set()
    recovery = (Change.Kind.RECOVERY_SAVED, Change.Kind.RECOVERY_REMOVED)
    return {"recovery_methods"} if change.kind in recovery else set(change.wanted)
