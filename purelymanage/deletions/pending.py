"""What waits for its deletion is frozen everywhere else in the panel."""

from __future__ import annotations

from purelymanage.deletions.models import Kind, PendingDeletion
from purelymanage.errors import Refused


def refuse_if_pending(kind: str, key: str, *, domain: str = "") -> None:
    """Raise `Refused` where an object, or its whole domain, waits for its deletion."""
    domain = domain or (key if kind == Kind.DOMAIN else key.rpartition("@")[2])
    found = PendingDeletion.objects.on(kind, key, domain).first()
    if found is not None:
        raise Refused(
            f"{found.name} is to be deleted and frozen until then. Cancel its deletion "
            "first."
        )


def is_ours(kind: str, key: str, domain: str) -> bool:
    """Tell whether the panel is deleting an object, so that its end is no news."""
    mine = PendingDeletion.objects.on(kind, key, domain)
    return mine.filter(state=PendingDeletion.State.DELETING).exists()
