from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.deletions import registry
from purelymanage.deletions.models import PendingDeletion
from purelymanage.deletions.pending import refuse_if_pending
from purelymanage.errors import Refused
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import PurelymailError


def create_again(*, deletion: PendingDeletion, actor: User) -> None:
    """Make something anew from what its deletion has kept.

    Two clicks do no harm: PurelyMail ignores a rule that it has already.
    """
    restorer = registry.restorer(deletion.kind)
    if (
        restorer is None
        or deletion.restore is None
        or deletion.state != PendingDeletion.State.DELETED
    ):
        raise Refused("This cannot be created again.")
    if deletion.restored_at is not None:
        raise Refused(f"Somebody has created {deletion.name} again already.")
    refuse_if_pending(deletion.kind, deletion.key, domain=deletion.domain)
    try:
        key = restorer.create_again(get_client(), deletion.restore)
    except PurelymailError as exc:
        raise Refused(f"It was not created again. {exc.message}") from exc
    _note_created(deletion, key, actor)


@transaction.atomic(durable=True)
def _note_created(deletion: PendingDeletion, key: str, actor: User) -> None:
    deleted = PendingDeletion.objects.filter(pk=deletion.pk, restored_at=None)
    if not deleted.update(restored_at=timezone.now(), restored_by=actor):
        return
    restorer = registry.restorer(deletion.kind)
    assert restorer is not None
    assert deletion.restore is not None
    restorer.remember(key, deletion.restore)
    log.record(
        Event.RULE_CREATED_AGAIN,
        actor=actor,
        target=deletion.label,
        domain=deletion.domain,
        what=deletion.name,
    )
