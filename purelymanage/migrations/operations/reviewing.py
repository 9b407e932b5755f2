"""What is decided about the people of a campaign before they are launched."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.audit import log
from purelymanage.audit.campaign_events import CampaignEvent
from purelymanage.errors import Refused
from purelymanage.migrations.campaigns import rules, verdict_list, verdicts
from purelymanage.migrations.models import Campaign, Participant, Submission
from purelymanage.migrations.operations import campaign_copies
from purelymanage.migrations.operations.batches import NOT_ALLOWED
from purelymanage.migrations.references import campaign_entry, record_campaign

NOWHERE = "nowhere"
CHANGED = "What they handed over is not what you saw. Look at it again."


@transaction.atomic(durable=True)
def change_destination(
    *, participant: Participant, destination: str, actor: User
) -> None:
    """Say where somebody's mail goes; nothing is what the rule says."""
    campaign = _lock(participant.campaign_id)
    present = Participant.objects.present().select_for_update(no_key=True, of=("self",))
    row = present.select_related("job").filter(pk=participant.pk).first()
    if row is None:
        raise Refused(f"{participant} is not on the list any more.")
    if row.job is not None and row.job.removed_at is None:
        raise Refused(f"{row} is being copied to {row.job.destination} already.")
    domain = destination.rpartition("@")[2]
    if not actor.may(Right.MANAGE) or (destination and not actor.covers(domain)):
        raise Refused(NOT_ALLOWED)
    row.campaign = campaign
    before = rules.destination_of(row) or NOWHERE
    row.destination = destination
    after = rules.destination_of(row) or NOWHERE
    row.save(update_fields=["destination"])
    if before == after:
        return
    rules.update_domains(campaign)
    record_campaign(
        CampaignEvent.DESTINATION_CHANGED,
        campaign,
        actor=actor,
        address=row.address,
        changes=f"from {before} to {after}",
    )


@transaction.atomic(durable=True)
def agree_to_login(*, participant: Participant, submission: int, actor: User) -> None:
    """Let somebody be copied with a login that is not their address.

    Only with what was seen: they may have handed over another one since.
    """
    campaign = _lock(participant.campaign_id)
    if not campaign_copies.may(actor, campaign.domains):
        raise Refused(NOT_ALLOWED)
    if vouch(campaign, [submission], actor, among=verdict_list.UNVOUCHED):
        return
    mine = Submission.objects.filter(participant=participant, pk=submission)
    if not mine.exclude(vouched_at=None).exists():
        raise Refused(CHANGED)


def vouch(
    campaign: Campaign,
    submissions: Collection[int],
    actor: User,
    *,
    among: Collection[str] = ("login",),
) -> int:
    """Agree to these of the logins that wait for it; part of a larger change."""
    waiting = verdicts.with_verdict(campaign).filter(
        has_password=True, verdict__in=among, stored_pk__in=submissions
    )
    people = list(waiting.order_by("address", "pk"))
    agreed = Submission.objects.filter(pk__in=[it.stored_pk for it in people])
    agreed.update(vouched_at=timezone.now())
    event = CampaignEvent.LOGIN_AGREED_TO
    log.record_many(
        [
            campaign_entry(
                event, campaign, actor=actor, address=it.address, user=it.source
            )
            for it in people
        ]
    )
    return len(people)


def _lock(pk: int) -> Campaign:
    return Campaign.objects.select_for_update(no_key=True).get(pk=pk)
