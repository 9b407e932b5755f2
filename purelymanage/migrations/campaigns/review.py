"""What would become of the people of a campaign right now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from purelymanage.accounts.models import User
from purelymanage.migrations.models import Campaign, Participant


def context_of(
    campaign: Campaign,
    people: Iterable[Participant],
    counts: Mapping[str, int],
    user: User,
) -> dict[str, Any]:
    """Return what the page of a campaign shows about these people beside their states.

    `counts` is how many of all people are in which state.
    """
    return {"ready": counts.get("ready", 0)}
