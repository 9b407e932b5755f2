"""The settings of a quickstart, kept in `var/env` for every command beside it."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

from purelymanage.environment import BASE_DIR

VAR = BASE_DIR / "var"
# The quickstart decides these. What the shell says about them is meant for another
# installation, whose database we must not touch.
OWNED = (
    "SECRET_KEY",
    "ENCRYPTION_KEYS",
    "AUDIT_KEY",
    "DATABASE_URL",
    "BASE_URL",
    "ALLOWED_HOSTS",
    "STATIC_ROOT",
    "ENV_FILE",
    "DJANGO_SETTINGS_MODULE",
    "Q_CLUSTER_NAME",
    "PURELYMAIL_API_TOKEN",
    "PURELYMAIL_API_URL",
    "PURELYMAIL_IMAP_HOST",
    "PURELYMAIL_IMAP_PORT",
    "IMAP_CA_FILE",
    "DNS_RESOLVERS",
)
HEADER = """\
# Settings of the quickstart in this folder; every `manage.py` command reads them.
# Lines with names that the quickstart does not set itself are kept, such as EMAIL_URL.
"""


def ensure_secrets(var: Path = VAR) -> None:
    """Write `var/env` with fresh secrets unless it is there.

    Django's settings do not load without them, so this comes before Django.
    """
    path = var / "env"
    if path.exists():
        return
    # The database is named only later, when its socket is known.
    values = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ENCRYPTION_KEYS": f"1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "AUDIT_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "DATABASE_URL": "postgres://postgres@/purelymanage",
    }
    try:
        var.mkdir(mode=0o700, exist_ok=True)
        write(path, values)
    except OSError as exc:
        raise SystemExit(f"{var} cannot be written: {exc.strerror}.") from exc


def read(path: Path) -> dict[str, str]:
    """Return the settings in an env file, or none if there is no such file."""
    values = {}
    with contextlib.suppress(FileNotFoundError):
        for line in path.read_text(encoding="utf-8").splitlines():
            name, equals, value = line.partition("=")
            if equals and not line.startswith("#"):
                quoted = len(value) > 1 and value[0] == value[-1] == "'"
                values[name.strip()] = value[1:-1] if quoted else value
    return values


def write(path: Path, values: Mapping[str, str]) -> None:
    lines = [f"{name}='{value}'\n" for name, value in values.items()]
    write_private(path, HEADER + "".join(lines))


def write_private(path: Path, text: str) -> None:
    """Write a file that only we can read, at once or not at all."""
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def given(environ: Mapping[str, str], kept: Mapping[str, str]) -> dict[str, str]:
    """Return what somebody has set in the shell, as opposed to read from `var/env`."""
    return {
        name: value
        for name, value in environ.items()
        if value and kept.get(name) != value
    }


def for_children(given: Mapping[str, str], env_file: Path) -> dict[str, str]:
    """Return the environment of our processes: they read the rest from `env_file`."""
    passed = {
        name: value
        for name, value in given.items()
        if name.removesuffix("_FILE") not in OWNED and name not in OWNED
    }
    return {
        **passed,
        "ENV_FILE": str(env_file),
        "DJANGO_SETTINGS_MODULE": "purelymanage.settings",
        "PYTHONUNBUFFERED": "1",
    }
