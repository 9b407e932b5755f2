from __future__ import annotations

from purelymanage.audit.models.checks import ChainCheck, ChainCheckQuerySet
from purelymanage.audit.models.entries import (
    AGENTS,
    Agent,
    Entry,
    EntryQuerySet,
    Viewer,
)
from purelymanage.audit.models.keys import KeyProof
from purelymanage.audit.models.mail import OutgoingMail, OutgoingMailQuerySet
from purelymanage.audit.models.notices import (
    By,
    Notice,
    NoticeCursor,
    NoticeQuerySet,
    NotificationChoice,
)

__all__ = [
    "AGENTS",
    "Agent",
    "By",
    "ChainCheck",
    "ChainCheckQuerySet",
    "Entry",
    "EntryQuerySet",
    "KeyProof",
    "Notice",
    "NoticeCursor",
    "NoticeQuerySet",
    "NotificationChoice",
    "OutgoingMail",
    "OutgoingMailQuerySet",
    "Viewer",
]
