"""What the other administrators are told by mail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from purelymanage.accounts.models import User
from purelymanage.audit.mail import queue_mail
from purelymanage.deletions.models import PendingDeletion
from purelymanage.deletions.policy import people_who_may

LISTED = 50


def tell_of_request(deletions: list[PendingDeletion], *, actor: User) -> None:
    """Tell everybody but the one who just decided. Call it in the transaction of the request."""
    first = deletions[0]
    awaits = first.state == PendingDeletion.State.APPROVAL
    about = _name(deletions)
    subject = f"To approve: delete {about}" if awaits else f"To be deleted: {about}"
    _tell(
        deletions,
        "deletions/mails/requested.txt",
        subject,
        {"awaits_approval": awaits},
        but=actor,
    )


def tell_of_hour(deletions: list[PendingDeletion]) -> None:
    """Tell everybody that an hour is left."""
    subject = f"In one hour: {_name(deletions)} will be deleted"
    _tell(deletions, "deletions/mails/announced.txt", subject, {})


def tell_of_stop(deletion: PendingDeletion) -> None:
    subject = f"The deletion of {deletion.name} needs another look"
    _tell([deletion], "deletions/mails/stopped.txt", subject, {})


def _tell(
    deletions: list[PendingDeletion],
    template: str,
    subject: str,
    context: dict[str, object],
    *,
    but: User | None = None,
) -> None:
    """Send each person one mail about what lies in their domains."""
    for person, mine in _by_person(deletions).items():
        if but is not None and person.pk == but.pk:
            continue
        url = settings.BASE_URL + reverse("deletions:deletion-list")
        rows = [(it, it.foreseen.summary) for it in mine[:LISTED]]
        more = len(mine) - len(rows)
        text = render_to_string(
            template, {"rows": rows, "more": more, "url": url, **context}
        )
        subject = subject if len(mine) == len(deletions) else f"{_name(mine)}: deletion"
        queue_mail(to=person.email, subject=subject, text=text)


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


def _name(deletions: list[PendingDeletion]) -> str:
    if len(deletions) == 1:
        return deletions[0].name
    word = deletions[0].word
    return f"{len(deletions)} {word}{'es' if word == 'mailbox' else 's'}"
