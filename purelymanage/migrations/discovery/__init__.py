from __future__ import annotations

from purelymanage.migrations.discovery.search import Asked, Discovery, Found, discover

__all__ = ["Asked", "Discovery", "Found", "discover"]
