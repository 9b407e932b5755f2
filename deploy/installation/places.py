"""Where everything lies on a machine, and whose it is."""

from __future__ import annotations

from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent.parent

USER = "purelymanage"
DATABASE = "purelymanage"

HOME = Path("/opt/purelymanage")
RELEASES = HOME / "releases"
# Python environments, which releases with the same packages share.
VENVS = HOME / "venvs"
CURRENT = HOME / "current"
PREVIOUS = HOME / "previous"

CONFIG = Path("/etc/purelymanage")
ENV = CONFIG / "env"
SECRETS = CONFIG / "secrets"
# How the machine was set up, for the next time.
CHOICES = CONFIG / "installation.json"
# Of the operator's own, root's like all programs in there.
HOOK = CONFIG / "before-start"
STATE = Path("/var/lib/purelymanage")
COMMAND = Path("/usr/local/bin/purelymanage")

UNITS = Path("/etc/systemd/system")
SOCKET = Path("/run/purelymanage-web.sock")
SERVICES = ("web", "worker", "migrations")

NGINX = Path("/etc/nginx")
CHALLENGES = Path("/var/www/purelymanage-challenges")
