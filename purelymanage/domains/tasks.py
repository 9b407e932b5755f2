from __future__ import annotations

from purelymanage.audit.models import Agent
from purelymanage.domains.dns.servers import NoResolver
from purelymanage.domains.models import SyncRun
from purelymanage.domains.operations import additions, looks, rechecks, syncing
from purelymanage.domains.sync import sync as read_account
from purelymanage.errors import Refused
from purelymanage.purelymail.errors import PurelymailError


def sync() -> str:
    """Read the account into the mirror, as the clock wants it."""
    return _sync(asked=False)


def sync_if_requested() -> str:
    """Read the account, unless a sync that began since the request did so."""
    if not SyncRun.objects.filter(state=SyncRun.State.QUEUED).exists():
        return "not queued any more"
    return _sync(asked=True)


def _sync(*, asked: bool) -> str:
    try:
        run = read_account(actor=Agent.PANEL, asked=asked)
    except Refused as exc:
        return str(exc)
    return run.summary or run.reason


def keep_watch() -> str:
    """Look at what is due, settle disputes with PurelyMail, add what is visible."""
    syncing.revive_sync()
    words = [look_at_due(), recheck(), add_visible()]
    return ", ".join(words)


def look_at_due() -> str:
    try:
        return f"{looks.look_at_due()} looked at"
    except NoResolver as exc:
        return str(exc)


def recheck() -> str:
    """Ask PurelyMail to look again where it says something else than we see."""
    try:
        return f"{rechecks.recheck_disputed()} rechecked"
    except PurelymailError as exc:
        return f"not rechecked: {exc.message}"


def add_visible() -> str:
    """Add the domains whose ownership record has become visible."""
    try:
        return f"{additions.add_visible()} added"
    except NoResolver as exc:
        return str(exc)
