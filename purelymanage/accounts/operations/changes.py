from __future__ import annotations

from purelymanage.audit.log import Diff


def in_words(diff: Diff) -> str:
    """Return what a sentence of the audit log says about values that changed."""
    return ", ".join(
        f"{name} from {before or 'nothing'} to {after or 'nothing'}"
        for name, (before, after) in diff.items()
    )
