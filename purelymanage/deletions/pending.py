"""What waits for its deletion is frozen everywhere else in the panel."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

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


def is_being_deleted(kind: str) -> Callable[[str, str], bool]:
    """Return how to tell, by key and domain, whose end is the panel's own doing.

    A sync may see that something is gone before its deletion is settled.
    """

    @cache
    def found() -> set[tuple[str, str]]:
        deleting = PendingDeletion.objects.filter(state=PendingDeletion.State.DELETING)
        return set(deleting.values_list("kind", "key"))

    def is_ours(key: str, domain: str) -> bool:
        return bool({(kind, key), (Kind.DOMAIN, domain)} & found())

    return is_ours
