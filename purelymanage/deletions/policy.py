"""How long deletions wait, and who has to agree."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q

from purelymanage.accounts.models import Organisation, User
from purelymanage.accounts.permissions import RIGHTS, Right

# Between the last warning and the deletion.
NOTICE = timedelta(hours=1)


def grace() -> timedelta:
    return Organisation.objects.present().grace


def people_who_may(domain: str) -> list[User]:
    """Return everybody who may request and cancel deletions in `domain`."""
    roles = [role for role, rights in RIGHTS.items() if Right.DELETE in rights]
    return list(
        User.objects.filter(
            Q(domain_scope=None) | Q(domain_scope__contains=[domain]),
            is_active=True,
            role__in=roles,
        ).order_by("email")
    )


def needs_second_person(kind: str, count: int, domains: set[str]) -> bool:
    """Whether a request waits for somebody else, who must exist for that.

    One domain with a second person is enough, as otherwise nobody would be asked who
    adds something from a domain that has none.
    """
    if kind != "domain" and count == 1:
        return False
    if not Organisation.objects.present().second_person_required:
        return False
    return any(len(people_who_may(domain)) >= 2 for domain in domains)
