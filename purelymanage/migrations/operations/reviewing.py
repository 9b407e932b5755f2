"""What is decided about the people of a campaign before they are launched."""

from __future__ import annotations

from django.db import transaction

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.audit.campaign_events import CampaignEvent
from purelymanage.errors import Refused
from purelymanage.migrations.campaigns import rules
from purelymanage.migrations.models import Campaign, Participant
from purelymanage.migrations.operations.batches import NOT_ALLOWED
from purelymanage.migrations.references import record_campaign

NOWHERE = "nowhere"


@transaction.atomic(durable=True)
def change_destination(
    *, participant: Participant, destination: str, actor: User
) -> None:
    """Say where somebody's mail goes; nothing is what the rule says."""
    rows = Campaign.objects.select_for_update(no_key=True)
    campaign = rows.get(pk=participant.campaign_id)
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
