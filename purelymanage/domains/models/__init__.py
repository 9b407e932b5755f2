from __future__ import annotations

from purelymanage.domains.models.additions import Addition, OwnershipCode
from purelymanage.domains.models.domains import Domain, DomainQuerySet, Standing
from purelymanage.domains.models.health import Change, Health
from purelymanage.domains.models.syncs import Freshness, SyncRun

__all__ = [
    "Addition",
    "Change",
    "Domain",
    "DomainQuerySet",
    "Freshness",
    "Health",
    "OwnershipCode",
    "Standing",
    "SyncRun",
]
