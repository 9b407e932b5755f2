from __future__ import annotations

from purelymanage.mailboxes.bulk import drafts, running
from purelymanage.mailboxes.bulk.rows import WORK


def run_bulk(bulk_id: int, ticket: int) -> str:
    """Work on a bulk change for a while, and hand it on."""
    return running.run_slice(WORK, bulk_id=bulk_id, ticket=ticket)


def sweep() -> str:
    """Take up what dead workers left behind, and forget what nobody wants any more."""
    return f"{running.sweep(WORK)} handed on, {drafts.wipe_old()} drafts deleted"
