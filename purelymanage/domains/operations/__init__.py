from __future__ import annotations

from purelymanage.domains.operations.syncing import request_sync, sync_now

__all__ = ["request_sync", "sync_now"]
