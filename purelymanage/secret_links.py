"""Links that open something for whoever reads them: no log may hold one."""

from __future__ import annotations

import re
from logging import LogRecord

SECRET_PATHS = re.compile(
    r"(/welcome/|/accounts/invitation/|/accounts/password/reset/key/|/gather/)[^/\s?]+"
)


def masked(text: str) -> str:
    """Return a path or a request line without the secrets that links carry."""
    return SECRET_PATHS.sub(r"\1…", text)


def mask_paths(record: LogRecord) -> bool:
    """Mask what Django writes of a request that it refused; a filter for its log."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            masked(it) if isinstance(it, str) else it for it in record.args
        )
    return True
