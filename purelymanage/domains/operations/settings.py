"""The two settings of a domain that PurelyMail lets an administrator change."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.log import Actor
from purelymanage.deletions.models import Kind
from purelymanage.deletions.pending import refuse_if_pending
from purelymanage.domains.models import Domain
from purelymanage.domains.operations.mirroring import take_domains
from purelymanage.domains.operations.requests import touch
from purelymanage.domains.operations.syncing import request_sync
from purelymanage.errors import Refused
from purelymanage.purelymail import types
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import (
    NotApplied,
    NotSent,
    PurelymailError,
    Rejected,
    Unavailable,
)

NAMES = {
    "allow_account_reset": "account recovery",
    "symbolic_subaddressing": "subaddressing",
}


def update_settings(
    *,
    domain: Domain,
    actor: Actor,
    allow_account_reset: bool | None = None,
    symbolic_subaddressing: bool | None = None,
) -> list[str]:
    """Change what is not `None` and differs; return what changed, in words.

    Raise `Refused` unless the list of domains shows it afterwards.
    """
    if domain.is_shared:
        raise Refused(f"{domain} belongs to PurelyMail, and only they can change it.")
    refuse_if_pending(Kind.DOMAIN, domain.name)
    wanted = {
        name: value
        for name, value in (
            ("allow_account_reset", allow_account_reset),
            ("symbolic_subaddressing", symbolic_subaddressing),
        )
        if value is not None and value != getattr(domain, name)
    }
    if not wanted:
        return []

    began_at = timezone.now()
    try:
        found = _change(domain.name, wanted)
    except PurelymailError as exc:
        reason = _reason(exc)
        _settle_failed(domain, reason, actor)
        raise Refused(f"{domain} was not changed. {reason}") from exc
    changes = [f"{NAMES[it]} {'on' if on else 'off'}" for it, on in wanted.items()]
    _settle_changed(domain, wanted, ", ".join(changes), actor)
    take_domains(found, began_at)
    domain.refresh_from_db()
    return changes


def _change(name: str, wanted: dict[str, bool]) -> list[types.Domain]:
    """Change it at PurelyMail and return the list that shows it."""
    client = get_client()
    lost: Unavailable | None = None
    try:
        client.update_domain_settings(name, **wanted)
    except NotSent:
        raise
    except Unavailable as exc:
        lost = exc  # it may have been done all the same, and the list knows
    found = client.list_domains()
    now = next((it for it in found if it.name == name), None)
    if now is None or any(getattr(now, it) != on for it, on in wanted.items()):
        raise lost or NotApplied
    return found


def _reason(error: PurelymailError) -> str:
    if isinstance(error, Rejected):
        return f"PurelyMail says: {error.message or 'no reason was given.'}"
    return error.message


@transaction.atomic(durable=True)
def _settle_changed(
    domain: Domain, wanted: dict[str, bool], changes: str, actor: Actor
) -> None:
    """Write it into the mirror first, or it would be told as somebody else's doing."""
    Domain.objects.filter(pk=domain.pk).update(**wanted)
    touch(domain.name)
    log.record(
        Event.DOMAIN_SETTINGS_CHANGED,
        actor=actor,
        target=domain.name,
        domain=domain.name,
        changes=changes,
    )


@transaction.atomic(durable=True)
def _settle_failed(domain: Domain, reason: str, actor: Actor) -> None:
    request_sync()
    log.record(
        Event.DOMAIN_SETTINGS_FAILED,
        actor=actor,
        target=domain.name,
        domain=domain.name,
        reason=reason,
    )
