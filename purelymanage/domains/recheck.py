"""When PurelyMail is asked to look again: only where it says something else than we."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from purelymanage.domains.models.domains import VERDICTS, Domain
from purelymanage.domains.schedule import backed_off


def disputes(domain: Domain, sees: Mapping[str, bool | None]) -> list[str]:
    """Return the verdicts of PurelyMail that differ from what its check should see.

    What we could not look up is no dispute.
    """
    return [
        verdict
        for verdict in VERDICTS
        if sees.get(verdict) is not None and getattr(domain, verdict) != sees[verdict]
    ]


def next_recheck(now: datetime, *, rechecks: int, disputed_since: datetime) -> datetime:
    """Return when to ask again after having asked `rechecks` times, the last one now."""
    return now + backed_off(max(rechecks - 1, 0), now - disputed_since)
