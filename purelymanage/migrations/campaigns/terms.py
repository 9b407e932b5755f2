"""What differs between campaigns in the questions where their people go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from django.conf import settings
from django.db.models import CharField, ExpressionWrapper, Value
from django.db.models.expressions import Combinable

from purelymanage.migrations.models import Campaign
from purelymanage.prepared import Slot


@dataclass(frozen=True, slots=True)
class Terms:
    """What it takes of a campaign to say where its people go.

    The first two decide which question is asked, the others are values in it, or slots
    for them.
    """

    by_rule: bool
    of_purelymail: bool
    campaign: int | Slot
    server: int | Slot
    at_domain: Combinable


# Which question is asked: the first two of the terms.
Question: TypeAlias = tuple[bool, bool]


def kind_of(campaign: Campaign) -> Question:
    is_purelymail = (
        campaign.server.host.lower() == settings.PURELYMAIL_IMAP_HOST.lower()
    )
    return campaign.rule == Campaign.Rule.SAME, is_purelymail


def values_of(campaign: Campaign) -> dict[str, Any]:
    return {
        "campaign": campaign.pk,
        "server": campaign.server_id,
        "at_domain": f"@{campaign.destination_domain}",
    }


def terms_of(campaign: Campaign) -> Terms:
    values = values_of(campaign)
    at_domain = Value(values.pop("at_domain"))
    return Terms(*kind_of(campaign), **values, at_domain=at_domain)


def slots_of(kind: Question) -> Terms:
    at_domain = ExpressionWrapper(Slot("at_domain"), output_field=CharField())
    return Terms(*kind, Slot("campaign"), Slot("server"), at_domain)
