from __future__ import annotations

from purelymanage.mailboxes.models.app_passwords import AppPassword
from purelymanage.mailboxes.models.bulks import Bulk, BulkRow
from purelymanage.mailboxes.models.changes import Change
from purelymanage.mailboxes.models.creations import Creation
from purelymanage.mailboxes.models.follow_ups import FollowUp
from purelymanage.mailboxes.models.hand_overs import HandOver
from purelymanage.mailboxes.models.mailboxes import Mailbox

__all__ = [
    "AppPassword",
    "Bulk",
    "BulkRow",
    "Change",
    "Creation",
    "FollowUp",
    "HandOver",
    "Mailbox",
]
