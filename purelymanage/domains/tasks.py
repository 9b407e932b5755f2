from __future__ import annotations

from purelymanage.audit.models import Agent
from purelymanage.domains.models import SyncRun
from purelymanage.domains.sync import sync as read_account
from purelymanage.errors import Refused


def sync() -> str:
    """Read the account into the mirror."""
    try:
        run = read_account(actor=Agent.PANEL)
    except Refused as exc:
        return str(exc)
    return run.summary or run.reason


def sync_if_requested() -> str:
    """Read the account, unless a sync that began since the request did so."""
    if not SyncRun.objects.filter(state=SyncRun.State.QUEUED).exists():
        return "not queued any more"
    return sync()
