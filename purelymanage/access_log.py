from __future__ import annotations

import logging
import os
from typing import Any

from gunicorn.glogging import Logger

from purelymanage.environment import read_env_file
from purelymanage.logs import AccessFormatter, JsonFormatter
from purelymanage.secret_links import masked as masked


class MaskingLogger(Logger):  # type: ignore[misc]  # not typed
    """gunicorn's logs, for `--logger-class`; in the format that all others have."""

    def setup(self, cfg: Any) -> None:
        # Comes before the settings, which would do it as well.
        read_env_file()
        super().setup(cfg)

    def atoms(self, *args: Any) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(*args)
        for name in ("r", "U", "f"):
            if atoms.get(name):
                atoms[name] = masked(atoms[name])
        return atoms

    def _set_handler(
        self,
        log: logging.Logger,
        output: str | None,
        fmt: logging.Formatter,
        stream: Any = None,
    ) -> None:
        if os.environ.get("LOG_FORMAT") == "json":
            fmt = AccessFormatter() if log is self.access_log else JsonFormatter()
        super()._set_handler(log, output, fmt, stream)
