"""The list of people whom a campaign asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit.campaign_events import CampaignEvent
from purelymanage.errors import Refused
from purelymanage.figures import thin
from purelymanage.migrations.campaigns import links, rules
from purelymanage.migrations.campaigns.people import Person
from purelymanage.migrations.models import Campaign, Participant
from purelymanage.migrations.operations.campaign_mails import take_back_mails
from purelymanage.migrations.operations.campaigns import (
    hold,
    people_in_words,
    refuse_if_over,
)
from purelymanage.migrations.references import record_campaign

MOST_PEOPLE = 10_000
ONE_STEP = 1_000

TOO_MANY = f"A campaign has at most {thin(MOST_PEOPLE)} people. Make another one."
GONE = "Somebody took this person out of the campaign."


@dataclass(frozen=True, slots=True)
class Listed:
    """What became of a table: how many are new, and how many were changed."""

    added: int
    changed: int


@transaction.atomic(durable=True)
def list_people(*, campaign: Campaign, people: Sequence[Person], actor: User) -> Listed:
    """Put people on the list. Who is on it already is kept, with what is said anew."""
    held = hold(campaign)
    refuse_if_over(held)
    known = {it.address: it for it in held.participants.select_for_update(no_key=True)}
    present = sum(it.removed_at is None for it in known.values())
    new, changed = [], []
    for one in people:
        row = known.get(one.address)
        if row is None:
            new.append(_new(held, one, actor))
        elif row.removed_at is not None:
            _begin_again(row, one, actor)
            new.append(row)
        elif _change(row, one, actor):
            changed.append(row)
    if present + len(new) > MOST_PEOPLE:
        raise Refused(TOO_MANY)
    Participant.objects.bulk_create(
        [it for it in new if it.pk is None], batch_size=ONE_STEP
    )
    columns = ["name", "destination", "is_listed", "added_by", "added_at"]
    columns += ["removed_at", "invited_at", "reminded_at", "opened_at", "refused_at"]
    columns += ["submitted_at", "withdrawn_at", "mail", "token_hash", "token"]
    again = [it for it in new if it.address in known]
    Participant.objects.bulk_update([*again, *changed], columns, batch_size=ONE_STEP)
    if new or changed:
        rules.update_domains(held)
        record_campaign(
            CampaignEvent.PEOPLE_LISTED,
            held,
            actor=actor,
            people=people_in_words(len(new) + len(changed)),
        )
    return Listed(len(new), len(changed))


@transaction.atomic(durable=True)
def remove_person(*, participant: Participant, actor: User) -> None:
    """Take somebody out of a campaign and erase what they had handed over."""
    campaign = hold(participant.campaign)
    row = _lock(participant)
    if row.has_copy:
        raise Refused(f"{row} is being copied already. Remove that copy instead.")
    row.submissions.all().delete()
    row.removed_at = timezone.now()
    # The hash stays, so that the link says kindly that nothing is wanted any more.
    row.token = ""
    row.mail_due, row.mail_due_at = "", None
    row.save(update_fields=["removed_at", "token", "mail_due", "mail_due_at"])
    take_back_mails(campaign, campaign.participants.filter(pk=row.pk))
    rules.update_domains(campaign)
    record_campaign(
        CampaignEvent.PERSON_REMOVED, campaign, actor=actor, address=row.address
    )


@transaction.atomic(durable=True)
def show_link(*, participant: Participant, actor: User) -> str:
    """Return the link of somebody, to be given to them in another way."""
    campaign = hold(participant.campaign)
    refuse_if_over(campaign)
    row = _lock(participant)
    link = links.link_of(row)
    if not link:
        link = links.url_of(links.mint(row))
        row.save(update_fields=["token_hash", "token"])
    record_campaign(
        CampaignEvent.LINK_SHOWN, campaign, actor=actor, address=row.address
    )
    return link


def _lock(participant: Participant) -> Participant:
    present = Participant.objects.present().select_for_update(no_key=True)
    row = present.filter(pk=participant.pk).first()
    if row is None:
        raise Refused(GONE)
    return row


def _new(campaign: Campaign, one: Person, actor: User) -> Participant:
    return Participant(
        campaign=campaign,
        address=one.address,
        name=one.name,
        destination=one.destination,
        is_listed=True,
        added_by=actor,
    )


def _begin_again(row: Participant, one: Person, actor: User) -> None:
    """Let somebody who was taken out come back as if they had never been there."""
    row.name, row.destination = one.name, one.destination
    row.is_listed, row.added_by, row.added_at = True, actor, timezone.now()
    row.removed_at = row.invited_at = row.reminded_at = row.opened_at = None
    row.refused_at = row.submitted_at = row.withdrawn_at = None
    row.mail = row.token_hash = None
    row.token = ""


def _change(row: Participant, one: Person, actor: User) -> bool:
    """Take over what a table says about somebody who is known; say if that is new."""
    before = (row.name, row.destination, row.is_listed)
    row.name = one.name or row.name
    if row.job_id is None:
        row.destination = one.destination or row.destination
    if not row.is_listed:
        row.is_listed, row.added_by = True, actor
    return before != (row.name, row.destination, row.is_listed)
