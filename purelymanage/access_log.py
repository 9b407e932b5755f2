from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from purelymanage.secret_links import masked as masked


class MaskingLogger(Logger):  # type: ignore[misc]  # not typed
    """gunicorn's access log, for `--logger-class`."""

    def atoms(self, *args: Any) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(*args)
        for name in ("r", "U", "f"):
            if atoms.get(name):
                atoms[name] = masked(atoms[name])
        return atoms
