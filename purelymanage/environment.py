"""Reads settings from the environment, from `NAME_FILE`, or from an env file."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import environ

APPLICATION = "purelymanage keys "
BASE_DIR = Path(__file__).resolve().parent.parent


def read_env_file() -> None:
    """Load the file named by `ENV_FILE`, else `var/env` where it exists.

    What the environment already holds wins. So every command works beside a running
    quickstart.
    """
    named = os.environ.get("ENV_FILE")
    path = Path(named) if named else BASE_DIR / "var" / "env"
    if named and not path.exists():
        raise SystemExit(f"ENV_FILE names {path}, but there is no such file.")
    if path.is_file():
        environ.Env.read_env(path)


def secret(name: str, default: str = "") -> str:
    """Return a secret from `NAME`, or from the file that `NAME_FILE` names.

    A service that was given it as a credential of systemd can read no other file.
    """
    if value := os.environ.get(name):
        return value
    if folder := os.environ.get("CREDENTIALS_DIRECTORY"):
        with suppress(FileNotFoundError):
            return Path(folder, name).read_text(encoding="utf-8").strip() or default
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as exc:
            raise SystemExit(f"{name}_FILE: {path} cannot be read.") from exc
    return default


def required_secrets(*names: str) -> list[str]:
    """Return the named secrets, or stop the start with one sentence that names them."""
    values = [secret(name) for name in names]
    if missing := [
        name for name, value in zip(names, values, strict=True) if not value
    ]:
        raise SystemExit(
            f"PurelyManage cannot start without {', '.join(missing)}: set "
            f"{'it' if len(missing) == 1 else 'them'} in the environment, in "
            f"{'a file' if len(missing) == 1 else 'files'} named by NAME_FILE, or in "
            "the file named by ENV_FILE."
        )
    return values


def application_name(encryption_keys: str) -> str:
    """Return what the database knows this process by: the ids of its keys."""
    ids = (part.partition(":")[0].strip() for part in encryption_keys.split(","))
    return APPLICATION + ",".join(ids)
