"""A campaign from its beginning to the day when what it knew of people is erased."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format

from purelymanage.accounts.models import User
from purelymanage.audit.campaign_events import CampaignEvent
from purelymanage.audit.models import Agent
from purelymanage.errors import Refused
from purelymanage.figures import thin
from purelymanage.migrations.campaigns import links, rules
from purelymanage.migrations.models import Campaign, PastLink, Server, Submission
from purelymanage.migrations.operations.campaign_mails import (
    erase_mails,
    take_back_mails,
)
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
def change_campaign(*, campaign: Campaign, wishes: Wishes, actor: User) -> None:
    """Change what a campaign asks for and says, or let it end at another day."""
    held = hold(campaign)
    refuse_if_over(held)
    changes = _changes(held, wishes)
    if not changes:
        return
    if held.server_id != wishes.server.pk and _holds_passwords(held):
        raise Refused(
            f"People have handed over passwords for {held.server}. Make another "
            "campaign for another server."
        )
    was_rule = held.rule
    for column in (*NAMED, *TEXTS):
        setattr(held, column, getattr(wishes, column))
    if held.rule != was_rule:
        maker = held.created_by if actor.domain_scope is None else actor
        held.domains = rules.domains_at_first(held, maker=maker)
    if wishes.days is not None:
        held.ends_at = _end(wishes.days)
    held.save()
    rules.update_domains(held)
    _refuse_foreign(held, actor)
    record_campaign(
        CampaignEvent.CAMPAIGN_CHANGED, held, actor=actor, changes=", ".join(changes)
    )


@transaction.atomic(durable=True)
def close_campaign(*, campaign: Campaign, actor: User) -> None:
    """Take no password any more, and send no mail. What was handed over stays."""
    held = hold(campaign)
    refuse_if_over(held)
    held.closed_at = timezone.now()
    held.save(update_fields=["closed_at"])
    waiting = held.participants.exclude(mail_due="")
    waiting.update(mail_due="", mail_due_at=None)
    # What a mail server has put off until later is not sent either.
    take_back_mails(held, held.participants.all())
    record_campaign(CampaignEvent.CAMPAIGN_CLOSED, held, actor=actor)


def purge_ended() -> int:
    """Erase what campaigns knew of people a week after their end; return how many."""
    due = Campaign.objects.to_purge(timezone.now()).order_by("pk")
    return sum(_purge(it) for it in due)


@transaction.atomic(durable=True)
def _purge(campaign: Campaign) -> bool:
    """Leave of a campaign what is about nobody, and the hashes that find its page."""
    held = hold(campaign)
    if held.purged_at is not None:
        return False
    people = held.participants.count()
    stored = Submission.objects.filter(participant__campaign=held).exclude(secret="")
    passwords = stored.count()
    erase_mails(held)
    _leave_links(held)
    held.participants.all().delete()
    held.sign_ins.all().delete()
    held.token = held.contact = held.signed_by = ""
    held.purged_at = timezone.now()
    held.save(update_fields=["token", "contact", "signed_by", "purged_at"])
    noun = "password" if passwords == 1 else "passwords"
    record_campaign(
        CampaignEvent.CAMPAIGN_PURGED,
        held,
        actor=Agent.PANEL,
        what=f"{people_in_words(people)}, {thin(passwords)} {noun}",
    )
    return True


def _leave_links(campaign: Campaign) -> None:
    """Let links of people's own go on saying that it is over, without their people."""
    hashes = campaign.participants.values_list("token_hash", flat=True)
    # In an order that says nothing of who was whom.
    left = [
        PastLink(campaign=campaign, token_hash=it)
        for it in sorted(filter(None, hashes))
    ]
    PastLink.objects.bulk_create(left, batch_size=1_000)


def hold(campaign: Campaign) -> Campaign:
    """Return a campaign as it is, locked until the transaction has ended."""
    rows = Campaign.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("server", "created_by").get(pk=campaign.pk)


def refuse_if_over(campaign: Campaign) -> None:
    if not campaign.is_open:
        raise Refused(OVER)


def people_in_words(number: int) -> str:
    return "1 person" if number == 1 else f"{thin(number)} people"


def _changes(campaign: Campaign, wishes: Wishes) -> list[str]:
    """Say what would change; of texts only that they do."""
    said = []
    for column, noun in NAMED.items():
        before, after = getattr(campaign, column), getattr(wishes, column)
        if before != after:
            said.append(f"{noun} from {before or 'none'} to {after or 'none'}")
    changed = {
        noun
        for column, noun in TEXTS.items()
        if getattr(campaign, column) != getattr(wishes, column)
    }
    said += [f"the text of the {noun}" for noun in sorted(changed)]
    if wishes.days is not None:
        said.append(f"its end to {_day(_end(wishes.days))}")
    return said


def _holds_passwords(campaign: Campaign) -> bool:
    if campaign.batch_id is not None:
        return True
    people = campaign.participants.present()
    return people.filter(~Q(submissions=None)).exists()


def _refuse_foreign(campaign: Campaign, actor: User) -> None:
    if not campaign.domains or not all(map(actor.covers, campaign.domains)):
        raise Refused(NOT_YOURS)


def _end(days: int) -> datetime:
    return timezone.now() + timedelta(days=days)


def _day(at: datetime) -> str:
    return date_format(timezone.localtime(at), "j F Y, H:i")
