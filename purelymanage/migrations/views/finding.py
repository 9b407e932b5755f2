"""Whom and what the pages of campaigns are about, as far as somebody may see it."""

from __future__ import annotations

from django.shortcuts import get_object_or_404

from purelymanage.accounts.permissions import AuthenticatedHttpRequest
from purelymanage.migrations.models import Campaign, Participant


def campaign_of(request: AuthenticatedHttpRequest, pk: int) -> Campaign:
    mine = Campaign.objects.visible_to(request.user)
    related = mine.select_related("server", "created_by", "batch")
    return get_object_or_404(related, pk=pk)


def person_of(request: AuthenticatedHttpRequest, pk: int, key: int) -> Participant:
    """Return somebody of a campaign who was not taken out of it."""
    mine = Campaign.objects.visible_to(request.user)
    present = Participant.objects.present().select_related("campaign__server")
    return get_object_or_404(present, pk=key, campaign=pk, campaign__in=mine)
