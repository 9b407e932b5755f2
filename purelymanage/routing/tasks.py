from __future__ import annotations

from django.utils import timezone

from purelymanage.mailboxes.bulk import running
from purelymanage.routing import verdicts
from purelymanage.routing.bulk.rows import WORK
from purelymanage.routing.models import RuleBulk
from purelymanage.routing.operations import creating, expiry, rewriting
from purelymanage.routing.snapshots import taking


def repair_rewrites() -> str:
    """Bring to an end what a crash or an outage left half done."""
    settled = rewriting.repair_due()
    return f"{settled} settled, {creating.look_for_overdue()} created or not"


def end_rules() -> str:
    """Remind of rules that end tomorrow, and ask for the deletion of those due."""
    return f"{expiry.remind()} reminded of, {expiry.request_due()} asked for"


def keep_snapshot() -> str:
    """Take the snapshot of the day, as soon as there is anything to keep."""
    return "taken" if taking.keep_daily() else "there already"


def keep_verdicts() -> str:
    """Look at all rules after a sync, so that nobody waits for it who lists them."""
    verdicts.keep_verdicts()
    return "kept"


def run_bulk(bulk_id: int, ticket: int) -> str:
    """Work on a bulk change of rules for a while, and hand it on."""
    return running.run_slice(WORK, bulk_id=bulk_id, ticket=ticket)


def sweep_bulks() -> str:
    """Take up what dead workers left behind, and delete forgotten drafts."""
    RuleBulk.objects.forgotten(timezone.now()).delete()
    return f"{running.sweep(WORK)} handed on"
