"""A campaign from its beginning to the day when what it knew of people is erased."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit.campaign_events import CampaignEvent
from purelymanage.errors import Refused
from purelymanage.migrations.campaigns import links, rules
from purelymanage.migrations.models import Campaign, Server
from purelymanage.migrations.references import record_campaign

DAYS = (3, 7, 14, 30)
USUAL_DAYS = 7

OVER = "This campaign is over."
NOT_YOURS = "You may only collect passwords for mailboxes of your domains."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a campaign is told to be, by the names of its columns."""

    name: str
    server: Server
    rule: str
    destination_domain: str
    days: int | None  # from now on; None leaves the end where it is
    language: str
    signed_by: str
    purpose: str
    retention: str
    contact: str
    invitation_subject: str
    invitation_text: str
    reminder_subject: str
    reminder_text: str


# What changes, and how the log calls it. Texts are said to have changed, no more.
NAMED = {
    "name": "name",
    "server": "server",
    "rule": "destinations",
    "destination_domain": "domain",
    "language": "language",
    "signed_by": "signature",
    "contact": "contact",
}
TEXTS = {
    "purpose": "purpose",
    "retention": "retention",
    "invitation_subject": "invitation",
    "invitation_text": "invitation",
    "reminder_subject": "reminder",
    "reminder_text": "reminder",
}


@transaction.atomic(durable=True)
def create_campaign(*, wishes: Wishes, actor: User) -> Campaign:
    """Open a campaign with a link for everybody."""
    campaign = Campaign(created_by=actor, ends_at=_end(wishes.days or USUAL_DAYS))
    for column in (*NAMED, *TEXTS):
        setattr(campaign, column, getattr(wishes, column))
    campaign.domains = rules.domains_at_first(campaign, maker=actor)
    _refuse_foreign(campaign, actor)
    links.mint(campaign)
    campaign.save()
    record_campaign(
        CampaignEvent.CAMPAIGN_CREATED,
        campaign,
        actor=actor,
        server=campaign.server.name,
    )
    return campaign


@transaction.atomic(durable=True)
def close_campaign(*, campaign: Campaign, actor: User) -> None:
    """Take no password any more, and send no mail. What was handed over stays."""
    held = hold(campaign)
    if not held.is_open:
        raise Refused(OVER)
    held.closed_at = timezone.now()
    held.save(update_fields=["closed_at"])
    waiting = held.participants.exclude(mail_due="")
    waiting.update(mail_due="", mail_due_at=None)
    record_campaign(CampaignEvent.CAMPAIGN_CLOSED, held, actor=actor)


def hold(campaign: Campaign) -> Campaign:
    """Return a campaign as it is, locked until the transaction has ended."""
    rows = Campaign.objects.select_for_update(of=("self",))
    return rows.select_related("server", "created_by").get(pk=campaign.pk)


def _refuse_foreign(campaign: Campaign, actor: User) -> None:
    if not campaign.domains or not all(map(actor.covers, campaign.domains)):
        raise Refused(NOT_YOURS)


def _end(days: int) -> datetime:
    return timezone.now() + timedelta(days=days)
