from __future__ import annotations

"""Everything that changes the queue of deletions, one subject a module."""
