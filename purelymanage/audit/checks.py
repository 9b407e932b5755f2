from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError

from purelymanage.audit import key_proofs


@register(Tags.database)
def check_keys(
    *, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Let `migrate` and `check --database default` tell of wrong keys as well."""
    if not databases:
        return []
    try:
        problems = key_proofs.find_problems()
    except DatabaseError:
        return []  # nothing there yet, or nobody
    return [Error(it, id="purelymanage.E001") for it in problems]
