from __future__ import annotations

from purelymanage.routing.models.rewrites import Rewrite
from purelymanage.routing.models.rules import Rule

__all__ = ["Rewrite", "Rule"]
