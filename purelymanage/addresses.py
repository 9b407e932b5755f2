"""The addresses in the settings: of the database, the mail server, and web servers.

None of them is repeated in what is said about it, as it may hold a password.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from purelymanage.environment import stop

POSTGRESQL = {"postgres", "postgresql", "psql", "pgsql"}
ESCAPED = (
    "Within a user or password, write @ : / # ? and % as %40 %3A %2F %23 %3F and %25."
)


def database(url: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    # Others are repeated in a warning.
    if _parts(url).scheme in POSTGRESQL:
        found = environ.Env.db_url_config(url)
    if not found.get("NAME"):
        stop(
            "DATABASE_URL must read postgres://user:password@host:5432/name, or "
            f"postgres://user@/name?host=/run/postgresql for a socket. {ESCAPED}"
        )
    return found


def mail(url: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = environ.Env.email_url_config(url)
    except (ValueError, ImproperlyConfigured):
        found = {}
    if not found or ("smtp" in found["EMAIL_BACKEND"] and not found["EMAIL_HOST"]):
        stop(
            "EMAIL_URL must read smtp+tls://user:password@host:587 or "
            f"smtp+ssl://user:password@host:465, or consolemail://. {ESCAPED}"
        )
    return found


def panel(name: str, default: str) -> str:
    """Return where the panel itself is: a host, and nothing after it."""
    given = web(name, default).rstrip("/")
    if _parts(given)[2:] != ("", "", ""):
        stop(f"{name} must end after the host, as in https://panel.example.org.")
    return given


def web(name: str, default: str) -> str:
    given = os.environ.get(name, "").strip() or default
    parts = _parts(given)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        stop(f"{name} must begin with https:// and a host.")
    return given


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises what is no number
    except ValueError:
        return urlsplit("")
    return parts
