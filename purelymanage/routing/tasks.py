from __future__ import annotations

from purelymanage.routing.operations import rewriting


def repair_rewrites() -> str:
    """Bring to an end what a crash or an outage left between two rules."""
    return f"{rewriting.repair_due()} settled"
