from __future__ import annotations

from datetime import timedelta

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit.actors import actor_of
from purelymanage.domains.operations import request_sync_again
from purelymanage.mailboxes.models import Change, Creation, Mailbox
from purelymanage.mailboxes.operations import (
    app_passwords,
    changing,
    details,
    follow_ups,
    hand_overs,
)
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import NotSent, PurelymailError

A_MINUTE = 12  # of 60 calls; the rest is for people
PATIENCE = 5.0
# What nobody waits for is not asked each minute where PurelyMail does not answer.
PAUSE = timedelta(minutes=10)
FAILED_AT = "details:failed_at"


def fill_in_details() -> str:
    """Read the details of a few mailboxes: those never read, then the oldest ones."""
    filled = 0
    try:
        client = get_client(patience=PATIENCE)
        changing.resolve_abandoned(client)
        if _failed_lately():
            return "later, as PurelyMail gave no answer a moment ago"
        for mailbox in Mailbox.objects.with_old_details()[:A_MINUTE]:
            details.refresh_details(mailbox=mailbox, client=client)
            filled += 1
    except PurelymailError as exc:
        if not isinstance(exc, NotSent):
            cache.set(FAILED_AT, timezone.now(), PAUSE.total_seconds())
        return f"{filled} read, then: {exc.message}"
    finally:
        settle_creations()
    return f"{filled} read"


def _failed_lately() -> bool:
    failed_at = cache.get(FAILED_AT)
    return failed_at is not None and abs(timezone.now() - failed_at) < PAUSE


def read_details(mailbox_id: int) -> str:
    """Read the details of a mailbox that somebody has opened."""
    mailbox = Mailbox.objects.present().filter(pk=mailbox_id).first()
    if mailbox is None:
        return "gone"
    try:
        details.refresh_details(mailbox=mailbox, client=get_client(patience=PATIENCE))
    except PurelymailError as exc:
        return exc.message
    return "read"


def follow_rename(change_id: int, person_id: int | None) -> str:
    """Do what follows a rename, in the name of whoever asked for it."""
    change = Change.objects.select_related("requested_by").get(pk=change_id)
    actor = actor_of(change)
    if person_id is not None:
        actor = User.objects.get(pk=person_id)
    is_done = follow_ups.follow_up(change=change, actor=actor)
    return "all done" if is_done else "something is left"


def follow_renames() -> str:
    """Go on with what has to follow a rename and could not be done at once."""
    return f"{follow_ups.follow_up_due()} done"


def revoke_app_passwords() -> str:
    """Revoke what is due: left over by a crash, or not gone when asked before."""
    return f"{app_passwords.revoke_due()} revoked"


def sweep_hand_overs() -> str:
    """Erase passwords that nobody can or should fetch any more."""
    return f"{hand_overs.wipe_useless()} erased"


@transaction.atomic(durable=True)
def settle_creations() -> None:
    """Let a sync find out what became of requests that nobody waits for any more."""
    if Creation.objects.overdue().exists():
        request_sync_again()
