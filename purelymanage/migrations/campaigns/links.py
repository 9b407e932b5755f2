"""The links of a campaign: one for everybody, and one for each person invited."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.urls import reverse

from purelymanage import crypto
from purelymanage.accounts.models.invitations import hash_token
from purelymanage.migrations.models import Campaign, Participant

TOKEN_BYTES = 32


def url_of(token: str) -> str:
    return settings.BASE_URL + reverse("gather", args=[token])


def mint(row: Campaign | Participant) -> str:
    """Put a new token into `row`, which is not saved yet, and return it."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row.token_hash = hash_token(token)
    row.token = crypto.seal(token, bound_to=row.token_place)
    return token


def link_of(row: Campaign | Participant) -> str:
    """Return the link again, empty where there is none, or its key is gone."""
    if not row.token:
        return ""
    try:
        return url_of(crypto.unseal(row.token, bound_to=row.token_place))
    except (crypto.Unreadable, crypto.MissingKey):
        return ""
