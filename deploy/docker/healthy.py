"""Whether a part of the panel is well, for a container's health: exits 1 if not.

python deploy/docker/healthy.py web|default|migrations
"""

from __future__ import annotations

import http.client
import json
import os
import sys
from urllib.parse import urlsplit

WEB = os.environ.get("WEB_ADDRESS", "127.0.0.1:8000")


def is_healthy(part: str) -> bool:
    """Ask the web server; it hears from the workers by the database."""
    base = urlsplit(os.environ.get("BASE_URL", "http://localhost:8000"))
    connection = http.client.HTTPConnection(WEB, timeout=15)
    try:
        connection.request("GET", "/healthz", headers={"Host": base.netloc})
        response = connection.getresponse()
        health = json.load(response)
    except (OSError, http.client.HTTPException, ValueError):
        return False
    if part == "web":
        return response.status == http.HTTPStatus.OK
    return bool(health.get("clusters", {}).get(part))


if __name__ == "__main__":
    sys.exit(not is_healthy(sys.argv[1]))
