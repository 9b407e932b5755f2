"""What allauth keeps sealed: the secrets inside the data of second factors."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator

from purelymanage.sealed import Change, Sealed

TEXTS = ("secret", "seed")
LISTS = ("migrated_codes",)


def place_of(user_id: int) -> str:
    """Return what the secrets of a person's second factors are bound to."""
    return f"mfa.Authenticator of {user_id}"


def _with_changed(row: Authenticator, change: Change) -> dict[str, Any]:
    data = dict(row.data)
    place = place_of(row.user_id)
    for name in TEXTS:
        if data.get(name):
            data[name] = change(data[name], place)
    for name in LISTS:
        if data.get(name):
            data[name] = [change(text, place) for text in data[name]]
    return data


SECOND_FACTORS = Sealed(Authenticator, "data", _with_changed, is_text=False)
