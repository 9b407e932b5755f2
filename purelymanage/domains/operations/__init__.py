from __future__ import annotations

from purelymanage.domains.operations.additions import (
    NotAdded,
    add_domain,
    cancel_addition,
    request_addition,
)
from purelymanage.domains.operations.looks import look_now
from purelymanage.domains.operations.rechecks import recheck
from purelymanage.domains.operations.requests import check_now, touch
from purelymanage.domains.operations.settings import update_settings
from purelymanage.domains.operations.syncing import (
    request_sync,
    request_sync_again,
    sync_now,
)

__all__ = [
    "NotAdded",
    "add_domain",
    "cancel_addition",
    "check_now",
    "look_now",
    "recheck",
    "request_addition",
    "request_sync",
    "request_sync_again",
    "sync_now",
    "touch",
    "update_settings",
]
