"""Where the mailboxes of a campaign go, and whose campaign it is by that."""

from __future__ import annotations

from purelymanage.accounts.models import User
from purelymanage.migrations.models import Campaign, Participant

# A domain that is in nobody's scope: of campaigns that may lead anywhere.
ANYWHERE = ""


def destination_of(participant: Participant) -> str:
    """Return the new mailbox of somebody, empty where nobody said it yet."""
    return participant.destination or usual_destination(
        participant.campaign, participant.address
    )


def usual_destination(campaign: Campaign, address: str) -> str:
    """Return what the rule of a campaign says, without anybody having chosen."""
    if campaign.rule != Campaign.Rule.SAME:
        return ""
    return f"{address.rpartition('@')[0]}@{campaign.destination_domain}"


def domains_at_first(campaign: Campaign, *, maker: User) -> list[str]:
    """Return the domains that one must be responsible for to see a new campaign."""
    if campaign.rule == Campaign.Rule.SAME:
        return [campaign.destination_domain]
    return [ANYWHERE] if maker.domain_scope is None else sorted(maker.domain_scope)


def update_domains(campaign: Campaign) -> None:
    """Note whose campaign it is after destinations were chosen, within that change.

    Those that are not known yet may be anywhere, or within the scope of its maker.
    """
    chosen = campaign.participants.present().exclude(destination="")
    found = {
        address.rpartition("@")[2]
        for address in chosen.values_list("destination", flat=True)
    }
    if campaign.rule == Campaign.Rule.SAME:
        domains = {campaign.destination_domain, *found}
    elif campaign.rule == Campaign.Rule.MAPPED and found:
        domains = found
    else:
        domains = {*campaign.domains, *found}
    if domains != set(campaign.domains):
        campaign.domains = sorted(domains)
        campaign.save(update_fields=["domains"])
