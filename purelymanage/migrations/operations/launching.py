"""From passwords that owners handed over to copies in a batch.

What one click makes is made in one transaction: whoever is killed in the middle leaves
nothing, and whoever comes second finds what the first has made. Where it is too much to
wait for, the click leaves it to a worker.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.campaign_events import CampaignEvent
from purelymanage.audit.models import Agent
from purelymanage.errors import Refused
from purelymanage.migrations import queue
from purelymanage.migrations.campaigns import verdicts
from purelymanage.migrations.models import Batch, Campaign, Participant
from purelymanage.migrations.operations import (
    campaign_copies,
    launches,
    renewals,
    reviewing,
)
from purelymanage.migrations.references import campaign_entry

logger = logging.getLogger(__name__)

# So many are launched while somebody waits, more of them by a worker.
AT_ONCE = 1_000
RENEWED_AT_ONCE = 200  # the next sweep takes the others
NOTHING = "Nobody is ready yet: there is no password that is right and without a doubt."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What is meant for all copies of a campaign."""

    begins_with_plan: bool = True
    takes_late_ones: bool = True
    tells_owners: bool = True
    # Whether those go as well whose new mailbox gets the mail of another old one.
    merges: bool = False
    # Those passwords of other logins than the addresses that were agreed to with it.
    logins: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class Launched:
    batch: Batch | None
    copies: int = 0
    # Passwords that no key opens any more.
    unreadable: int = 0
    # Whether a worker is about it, as they are many.
    is_under_way: bool = False


@transaction.atomic(durable=True)
def launch(*, campaign: Campaign, wishes: Wishes, actor: User) -> Launched:
    """Make copies for everybody who is ready, and queue them.

    They go into one batch, which is made the first time. Doing it again takes those who
    have become ready since, and nobody twice.
    """
    held = campaign_copies.hold(campaign)
    campaign_copies.refuse_if_impossible(held, actor)
    if held.batch is not None and held.launches.unfinished().exists():
        return Launched(held.batch, is_under_way=True)
    agreed = reviewing.vouch(held, wishes.logins, actor) if wishes.logins else 0
    ready = verdicts.ready(held, merges=wishes.merges).order_by("address", "pk")
    people = list(ready[: AT_ONCE + 1])
    if not people and held.batch is None and not agreed:
        raise Refused(NOTHING)
    if not people:
        return Launched(held.batch)
    many = list(ready.values_list("pk", flat=True)) if len(people) > AT_ONCE else []
    batch = _prepare(held, wishes, actor)
    if many:
        launches.begin(campaign=held, keys=many, merges=wishes.merges, actor=actor)
        return Launched(batch, is_under_way=True)
    made = campaign_copies.make_copies(
        campaign=held, batch=batch, people=people, maker=actor
    )
    if not made.jobs:
        raise Refused(NOTHING)
    copies = campaign_copies.in_words(len(made.jobs))
    event = CampaignEvent.CAMPAIGN_LAUNCHED
    entry = campaign_entry(event, held, actor=actor, copies=copies)
    log.record_many([entry, *campaign_copies.entries(held, made.jobs, actor)])
    queue.dispatch()
    return Launched(batch, len(made.jobs), made.unreadable)


@transaction.atomic(durable=True)
def join_late(*, participant: Participant) -> bool:
    """Let somebody whose password came after the launch join the batch.

    Tells whether they did: who is not on the list, in conflict with another, or may go
    nowhere, waits for somebody to look. A copy that there is already gets the new
    password.
    """
    held = campaign_copies.hold(Campaign(pk=participant.campaign_id))
    person = held.launched_by
    if held.batch is None or person is None:
        return False
    if renewals.left_behind().filter(pk=participant.pk).exists():
        participant.refresh_from_db()
        return renewals.renew(campaign=held, participant=participant)
    if not held.takes_late_ones:
        return False
    # Whoever knows the link for everybody would get a mailbox by themselves.
    listed = verdicts.ready(held).filter(is_listed=True)
    people = list(listed.filter(pk=participant.pk))
    if not people or not campaign_copies.may(person, [it.domain for it in people]):
        return False
    made = campaign_copies.make_copies(
        campaign=held, batch=held.batch, people=people, maker=person
    )
    if not made.jobs:
        return False
    event = CampaignEvent.LATE_ONE_JOINED
    entry = campaign_entry(event, held, address=participant.address)
    log.record_many([entry, *campaign_copies.entries(held, made.jobs, Agent.PANEL)])
    queue.dispatch()
    return True


def _prepare(campaign: Campaign, wishes: Wishes, actor: User) -> Batch:
    """Note what is wanted, and return the batch; it is made the first time."""
    campaign.begins_with_plan = wishes.begins_with_plan
    campaign.takes_late_ones = wishes.takes_late_ones
    campaign.launched_at, campaign.launched_by = timezone.now(), actor
    if campaign.batch is None:
        campaign.batch = Batch.objects.create(
            name=campaign.name,
            server=campaign.server,
            tells_owners=wishes.tells_owners,
            created_by=actor,
            confirmed_at=campaign.launched_at,
        )
    elif campaign.batch.tells_owners != wishes.tells_owners:
        campaign.batch.tells_owners = wishes.tells_owners
        campaign.batch.save(update_fields=["tells_owners"])
    campaign.save()
    return campaign.batch


def take_in_renewed() -> int:
    """Take what came while its copy was running, and return how many of these did."""
    renewed = 0
    for participant in renewals.to_renew()[:RENEWED_AT_ONCE]:
        try:
            renewed += join_late(participant=participant)
        except Exception as exc:
            # Only the kind: the text might quote anything.
            kind = type(exc).__name__
            logger.error("New password of person %s: %s", participant.pk, kind)
    return renewed
