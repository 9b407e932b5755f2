"""Taking one of the places that a server has for sign-ins, and giving it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from purelymanage.audit import log
from purelymanage.audit.campaign_events import CampaignEvent
from purelymanage.audit.models import Agent
from purelymanage.migrations.campaigns import limits
from purelymanage.migrations.campaigns.limits import Keys
from purelymanage.migrations.models import Campaign, Server, SignIn
from purelymanage.migrations.references import campaign_entry

# Longer than a sign-in may take, for those whose process has died.
HOLD = timedelta(seconds=30)
KEPT = limits.DAY
TOLD_AGAIN_AFTER = 3600  # seconds
TOO_OFTEN = "too many passwords were refused for one address or from one place"
USED_UP = "too many passwords were refused within an hour"


@dataclass(frozen=True, slots=True)
class TooOften:
    """Somebody has failed too often."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Later:
    """It is not tried now, but kept: `when` may be in a moment."""

    when: datetime
    is_full: bool = False  # so that it pays to ask again


@transaction.atomic(durable=True)
def reserve_sign_in(*, campaign: Campaign, keys: Keys) -> SignIn | TooOften | Later:
    """Take a place at the server, unless a limit stands against it.

    Everybody who counts holds the lock on the server, logins of copies included.
    """
    now = timezone.now()
    server = lock_server(campaign.server_id)
    answer: TooOften | Later
    reason = ""
    if until := limits.too_often_until(keys, now):
        answer, reason = TooOften(until), TOO_OFTEN
    elif limits.is_used_up(campaign, keys.way, now):
        answer, reason = Later(now + limits.QUARTER), USED_UP
    elif limits.is_silent(server.pk, now):
        answer = Later(now + limits.SILENT_FOR)
    elif not limits.free_places(server, now):
        answer = Later(now, is_full=True)
    else:
        return add_sign_in(campaign, keys, now)
    if reason:
        _tell(campaign, reason)
    return answer


def lock_server(pk: int) -> Server:
    """Let nobody else count what a server is asked for; part of a larger change."""
    return Server.objects.select_for_update(no_key=True).get(pk=pk)


def add_sign_in(campaign: Campaign, keys: Keys, now: datetime) -> SignIn:
    """Take a place that is free; part of a larger change."""
    return SignIn.objects.create(
        server_id=campaign.server_id,
        campaign=campaign,
        address_key=keys.address,
        client_key=keys.client,
        begun_at=now,
        holds_until=now + HOLD,
    )


def note_untried(campaign: Campaign, keys: Sequence[Keys], now: datetime) -> None:
    """Count what is kept without having been tried; part of a larger change."""
    SignIn.objects.bulk_create(
        SignIn(
            server_id=campaign.server_id,
            campaign=campaign,
            address_key=it.address,
            client_key=it.client,
            begun_at=now,
            holds_until=now,
            ended_at=now,
            outcome=SignIn.Outcome.UNANSWERED,
        )
        for it in keys
    )


def end_sign_in(sign_in: SignIn, outcome: SignIn.Outcome) -> None:
    """Give the place back; part of a larger change."""
    SignIn.objects.filter(pk=sign_in.pk, ended_at=None).update(
        ended_at=timezone.now(), outcome=outcome
    )


def forget_sign_ins() -> int:
    """Delete what no limit looks back to."""
    before = timezone.now() - KEPT
    return SignIn.objects.filter(begun_at__lt=before).delete()[0]


def _tell(campaign: Campaign, reason: str) -> None:
    """Say once an hour that somebody is held back: it may be an attack."""
    what = "places" if reason == TOO_OFTEN else "hour"
    if cache.add(f"campaign-limit:{campaign.pk}:{what}", "told", TOLD_AGAIN_AFTER):
        event = CampaignEvent.LIMIT_REACHED
        entry = campaign_entry(event, campaign, actor=Agent.PANEL, reason=reason)
        log.record_many([entry])
