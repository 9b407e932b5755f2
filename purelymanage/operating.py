"""What whoever runs the panel types: its commands, and how it is started.

Where `deploy/install` has put it, there are a command and units for that.
"""

from __future__ import annotations

import os
from pathlib import Path

from purelymanage.environment import BASE_DIR

INSTALLED = Path("/opt/purelymanage")


def command(words: str) -> str:
    return f"sudo purelymanage {words}" if _is_installed() else f"manage.py {words}"


def where(name: str) -> str:
    """Return the name of a secret, and the file it is in where that is known."""
    path = os.environ.get(f"{name}_FILE")
    return f"{name} ({path})" if path else name


def restart() -> str:
    """Return how to make everything that runs read the settings anew."""
    if _is_installed():
        return "sudo systemctl restart 'purelymanage-*.service'"
    return "restart the web server and the workers."


def start_workers() -> str:
    if _is_installed():
        return (
            "sudo systemctl restart purelymanage-worker purelymanage-migrations; "
            "where they fail again, journalctl -u 'purelymanage-*' -n 50 says why."
        )
    return "manage.py qcluster, and with Q_CLUSTER_NAME=migrations for copies."


def collect() -> str:
    """Return how styles and scripts come to where they are served from."""
    if _is_installed():
        return "Run sudo ./deploy/install once more."  # they are root's
    return "manage.py collectstatic --no-input"


def _is_installed() -> bool:
    return BASE_DIR.is_relative_to(INSTALLED)
