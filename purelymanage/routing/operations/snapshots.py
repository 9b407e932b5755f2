from __future__ import annotations

from django.db import transaction

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.errors import Refused
from purelymanage.routing.models import Snapshot
from purelymanage.routing.snapshots.taking import take

NOTHING_READ = "PurelyMail was not read yet, so there is nothing to keep."


@transaction.atomic(durable=True)
def take_snapshot(*, actor: User) -> Snapshot:
    """Keep the account as it is now, because somebody wants to."""
    snapshot = take(Snapshot.Occasion.ASKED, actor=actor)
    if snapshot is None:
        raise Refused(NOTHING_READ)
    log.record(Event.SNAPSHOT_TAKEN, actor=actor, target=str(snapshot))
    return snapshot


@transaction.atomic(durable=True)
def note_download(*, snapshot: Snapshot, actor: User) -> None:
    """Write down that somebody takes a configuration along."""
    log.record(Event.SNAPSHOT_DOWNLOADED, actor=actor, target=str(snapshot))


def remember_before_bulk(actor: User) -> None:
    """Keep the account as it is before many mailboxes change."""
    take(Snapshot.Occasion.MAILBOXES, actor=actor)
