"""What the web servers of tests serve: who answers, and what was asked."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from typing import Any


def application(
    environ: dict[str, Any], start_response: Callable[..., object]
) -> Iterable[bytes]:
    told = {
        "process": os.getpid(),
        "client": environ["REMOTE_ADDR"],
        "server": environ["SERVER_NAME"],
        "path": environ["PATH_INFO"],
        "sent": environ["wsgi.input"].read().decode(),
    }
    body = json.dumps(told).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
