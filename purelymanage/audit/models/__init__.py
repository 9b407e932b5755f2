from __future__ import annotations

from purelymanage.audit.models.checks import ChainCheck, ChainCheckQuerySet
from purelymanage.audit.models.entries import (
    AGENTS,
    Agent,
    Entry,
    EntryQuerySet,
    Viewer,
)
from purelymanage.audit.models.mail import OutgoingMail, OutgoingMailQuerySet

__all__ = [
    "AGENTS",
    "Agent",
    "ChainCheck",
    "ChainCheckQuerySet",
    "Entry",
    "EntryQuerySet",
    "OutgoingMail",
    "OutgoingMailQuerySet",
    "Viewer",
]
