"""What can be done with somebody of a campaign: a menu in each row of a long list.

They differ by little more than whose they are. Drawing one takes longer than all else in
its row, so each kind is drawn once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString

from purelymanage.audit.models import OutgoingMail
from purelymanage.migrations.models import Campaign

# What stands in a menu for whose it is.
SOMEBODY, KEY = "stands-for-their-address", 918_273_645_546_372_819


@dataclass(frozen=True, slots=True)
class Kind:
    campaign: int
    is_open: bool
    may_be_invited: bool
    was_invited: bool
    mail_may_come_back: bool


def menu_of(campaign: Campaign, person: Any) -> str:
    """Return the menu of somebody, none where they have a copy."""
    if person.has_copy:
        return ""
    mail = person.mail
    drawn = _drawn(
        Kind(
            campaign.pk,
            campaign.is_open,
            may_be_invited=person.is_listed and not person.mail_due,
            was_invited=person.invited_at is not None,
            mail_may_come_back=bool(mail and mail.state == OutgoingMail.State.SENT),
        )
    )
    theirs = drawn.replace(str(KEY), str(person.pk))
    return SafeString(theirs.replace(SOMEBODY, escape(person.address)))


@lru_cache(maxsize=200)
def _drawn(kind: Kind) -> str:
    context = {"kind": kind, "key": KEY, "address": SOMEBODY}
    return render_to_string("migrations/campaigns/_person_actions.html", context)
