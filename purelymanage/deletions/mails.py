"""What the other administrators are told by mail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from purelymanage.accounts.models import User
from purelymanage.audit.mail import queue_mail
from purelymanage.deletions.models import PendingDeletion, name_of
from purelymanage.deletions.policy import people_who_may

LISTED = 50


def tell_of_request(deletions: list[PendingDeletion], *, actor: User) -> None:
    """Tell everybody but the one who just decided, in the same transaction."""
    awaits = deletions[0].state == PendingDeletion.State.APPROVAL
    _tell(
        deletions,
        "requested",
        "Waits for your approval: to delete" if awaits else "To be deleted:",
        but=actor,
        awaits_approval=awaits,
    )


def tell_of_hour(deletions: list[PendingDeletion]) -> None:
    """Tell everybody that an hour is left."""
    _tell(deletions, "announced", "To be deleted in one hour:")


def tell_of_stop(deletion: PendingDeletion) -> None:
    _tell([deletion], "stopped", "Needs another look: the deletion of")


def _tell(
    deletions: list[PendingDeletion],
    template: str,
    subject: str,
    *,
    but: User | None = None,
    awaits_approval: bool = False,
) -> None:
    """Send each person one mail about what lies in their domains."""
    for person, mine in _by_person(deletions).items():
        if but is not None and person.pk == but.pk:
            continue
        context = {
            "rows": [(it, it.foreseen.summary) for it in mine[:LISTED]],
            "more": len(mine) - len(mine[:LISTED]),
            "first": mine[0],
            "awaits_approval": awaits_approval,
            "is_limited": person.domain_scope is not None,
            "url": settings.BASE_URL + reverse("deletions:deletion-list"),
        }
        text = render_to_string(f"deletions/mails/{template}.txt", context)
        queue_mail(
            to=person.email, subject=f"{subject} {_kinds(mine)}", text=text.lstrip()
        )


def _kinds(deletions: list[PendingDeletion]) -> str:
    """Name them in a subject, where mailboxes and rules may come together."""
    if len({it.kind for it in deletions}) > 1:
        return f"{deletions[0].name} and {len(deletions) - 1} more"
    return name_of(deletions)


def _by_person(
    deletions: Iterable[PendingDeletion],
) -> dict[User, list[PendingDeletion]]:
    of_domain: dict[str, list[PendingDeletion]] = defaultdict(list)
    for deletion in deletions:
        of_domain[deletion.domain].append(deletion)
    found: dict[User, list[PendingDeletion]] = defaultdict(list)
    for domain, mine in of_domain.items():
        for person in people_who_may(domain):
            found[person] += mine
    return found
