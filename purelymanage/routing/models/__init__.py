from __future__ import annotations

from purelymanage.routing.models.bulks import RuleBulk, RuleBulkRow
from purelymanage.routing.models.creations import RuleCreation
from purelymanage.routing.models.expiries import Expiry
from purelymanage.routing.models.rewrites import Rewrite
from purelymanage.routing.models.rules import Rule
from purelymanage.routing.models.snapshots import Snapshot, SnapshotContent

__all__ = [
    "Expiry",
    "Rewrite",
    "Rule",
    "RuleBulk",
    "RuleBulkRow",
    "RuleCreation",
    "Snapshot",
    "SnapshotContent",
]
