"""The copies into and out of a mailbox, as a section of its page."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Q

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.related import Section
from purelymanage.migrations.models import Run
from purelymanage.migrations.presentation import RunView

MOST_SHOWN = 5


def copies_of(mailbox: Mailbox, user: User) -> Section | None:
    """Return the newest run of each job that reads from it or writes into it.

    The same address at another server is another mailbox.
    """
    if not user.may(Right.SEE_MIGRATIONS):
        return None
    address = mailbox.address
    into = Q(job__destination=address, job__destination_server=None)
    out_of = Q(
        job__source_user__iexact=address,
        job__server__host__iexact=settings.PURELYMAIL_IMAP_HOST,
    )
    runs = (
        Run.objects.visible_to(user)
        .newest_of_jobs()
        .filter(into | out_of)
        .select_related("job__server")
        .defer("log")
        .order_by("-queued_at", "-pk")[: MOST_SHOWN + 1]
    )
    found = [RunView(run) for run in runs]
    return Section(
        "migrations/_copies_of_mailbox.html",
        {
            "address": address,
            "views": found[:MOST_SHOWN],
            "is_longer": len(found) > MOST_SHOWN,
        },
    )
