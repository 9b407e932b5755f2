from __future__ import annotations

from purelymanage.routing.operations import expiry, rewriting
from purelymanage.routing.snapshots import taking


def repair_rewrites() -> str:
    """Bring to an end what a crash or an outage left between two rules."""
    return f"{rewriting.repair_due()} settled"


def end_rules() -> str:
    """Remind of rules that end tomorrow, and ask for the deletion of those due."""
    return f"{expiry.remind()} reminded of, {expiry.request_due()} asked for"


def keep_snapshot() -> str:
    """Take the snapshot of the day, as soon as there is anything to keep."""
    return "taken" if taking.keep_daily() else "there already"
