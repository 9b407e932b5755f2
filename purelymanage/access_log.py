from __future__ import annotations

import re
from typing import Any

from gunicorn.glogging import Logger

# Who reads one of these links may use it, so a log must not hold them.
SECRET_PATHS = re.compile(
    r"(/welcome/|/accounts/invitation/|/accounts/password/reset/key/|/gather/)[^/\s?]+"
)


def masked(text: str) -> str:
    """Return a path or a request line without the secrets that links carry."""
    return SECRET_PATHS.sub(r"\1…", text)


class MaskingLogger(Logger):  # type: ignore[misc]  # not typed
    """gunicorn's access log, for `--logger-class`."""

    def atoms(self, *args: Any) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(*args)
        for name in ("r", "U", "f"):
            if atoms.get(name):
                atoms[name] = masked(atoms[name])
        return atoms
