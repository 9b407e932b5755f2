"""Secrets, each in a file of its own, and the settings beside them."""

from __future__ import annotations

import base64
import getpass
import re
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

from deploy.installation import database, places
from deploy.installation.choices import Choices
from deploy.installation.machine import Failed, Machine

EXAMPLE = places.SOURCE / "deploy" / "env.example"
SETTING = re.compile(r"^#?([A-Z_]+)=(.*)$", re.MULTILINE)
# Made once, and never again: what they have sealed or signed could not be read any more.
MADE: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(50),
    "ENCRYPTION_KEYS": lambda: f"1:{_random_key()}",
    "AUDIT_KEY": lambda: _random_key(),
}
# Given, or else empty; with those above, what services get as their credentials.
GIVEN = (
    *("DATABASE_URL", "PURELYMAIL_API_TOKEN", "EMAIL_URL", "METRICS_TOKEN"),
    *("SECRET_KEY_FALLBACKS", "AUDIT_KEY_FALLBACKS"),
)


def write_secrets(
    machine: Machine,
    *,
    database_url: Path | None,
    token: Path | None,
    email_url: Path | None,
) -> None:
    machine.step("Secrets")
    machine.folder(places.CONFIG, 0o755)
    machine.folder(places.SECRETS, 0o700, places.USER)
    for name, make in MADE.items():
        path = places.SECRETS / name
        if _is_there(path):
            machine.keep(str(path))
        else:
            machine.write(path, f"{make()}\n", 0o600, places.USER)

    files = {
        "DATABASE_URL": database_url,
        "PURELYMAIL_API_TOKEN": token,
        "EMAIL_URL": email_url,
    }
    for name in GIVEN:
        path = places.SECRETS / name
        if file := files.get(name):
            machine.write(path, f"{_given(file)}\n", 0o600, places.USER)
        elif _is_there(path):
            machine.keep(str(path))
        else:
            machine.write(path, f"{_default(machine, name)}\n", 0o600, places.USER)


def write_settings(machine: Machine, choices: Choices) -> None:
    """Write the settings once; afterwards they belong to whoever runs the panel."""
    machine.step("Settings")
    if _is_there(places.ENV):
        machine.keep(str(places.ENV))
        kept = _names(_text(places.ENV))
        if new := [it for it in _names(_text(EXAMPLE)) if it not in kept]:
            machine.note(
                f"New settings, which have their defaults: {', '.join(new)} "
                f"({EXAMPLE.name} explains them)."
            )
        machine.write(places.CHOICES, choices.as_text())
        return
    machine.write(places.ENV, settings_text(choices), 0o600, places.USER)
    machine.write(places.CHOICES, choices.as_text())


def settings_text(choices: Choices) -> str:
    """Return the example with what is known of this machine, and no secret in it."""
    known = {
        "BASE_URL": f"https://{choices.domain}",
        "ALLOWED_HOSTS": choices.domain,
        "TRUSTED_PROXIES": "1",
        "DEFAULT_FROM_EMAIL": f"'PurelyManage <{choices.from_email}>'",
    }

    def line(found: re.Match[str]) -> str:
        name = found[1]
        if name in MADE or name in GIVEN:
            return f"{name}_FILE={places.SECRETS / name}"
        return f"{name}={known[name]}" if name in known else found[0]

    return SETTING.sub(line, EXAMPLE.read_text(encoding="utf-8"))


def _names(text: str) -> list[str]:
    return [name.removesuffix("_FILE") for name, _ in SETTING.findall(text)]


def _default(machine: Machine, name: str) -> str:
    if name == "DATABASE_URL":
        return database.URL
    if name != "PURELYMAIL_API_TOKEN" or machine.dry or not sys.stdin.isatty():
        return ""
    sys.stdout.write(
        "  The API token of PurelyMail is made there under Account. It is not shown\n"
        "  here. Press Return to give it later, with --token-file.\n"
    )
    return getpass.getpass("  Token: ").strip()


def _given(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise Failed(f"{file} cannot be read.") from exc
    if not text:
        raise Failed(f"{file} is empty.")
    return text


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        return True  # a dry run of somebody else


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except PermissionError:
        return ""
