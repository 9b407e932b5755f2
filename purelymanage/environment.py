"""Reads settings from the environment, from `NAME_FILE`, or from an env file.

Where one of them is missing or makes no sense, the process ends with one sentence, and
with an exit code that nobody answers by starting it again.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ

APPLICATION = "purelymanage keys "
BASE_DIR = Path(__file__).resolve().parent.parent
# Of settings and keys that somebody has to put right first. gunicorn takes it for the
# end of all its processes, and the units of systemd leave it at that.
NEVER_MIND = 3
LINE = re.compile(r"(?:export )?\w+=|#|\s*$", re.ASCII)
ZONES = Path("/usr/share/zoneinfo")
FLAGS = {
    **dict.fromkeys(("on", "true", "yes", "1"), True),
    **dict.fromkeys(("off", "false", "no", "0"), False),
}


def stop(sentence: str) -> NoReturn:
    """End this process: it cannot start before somebody has changed the settings."""
    sys.stderr.write(f"PurelyManage does not start. {sentence}\n")
    raise SystemExit(NEVER_MIND)


def read_env_file() -> None:
    """Load the file named by `ENV_FILE`, else `var/env` where it exists.

    What the environment already holds wins. So every command works beside a running
    quickstart.
    """
    named = os.environ.get("ENV_FILE")
    path = Path(named) if named else BASE_DIR / "var" / "env"
    try:
        text = _text(path)
    except FileNotFoundError:
        if named:
            stop(f"ENV_FILE names {path}, but there is no such file.")
        return
    except OSError as exc:
        stop(f"The settings in {path} cannot be read: {exc.strerror}.")
    for number, line in enumerate(text.splitlines(), 1):
        # Never the line itself, which may hold a secret.
        if not LINE.match(line):
            stop(f"Line {number} of {path} does not read NAME=value.")
    environ.Env.read_env(io.StringIO(text))


def secret(name: str, default: str = "") -> str:
    """Return a secret from `NAME`, or from the file that `NAME_FILE` names.

    A service that was given it as a credential of systemd can read no other file.
    """
    if value := os.environ.get(name):
        return value
    if folder := os.environ.get("CREDENTIALS_DIRECTORY"):
        with suppress(FileNotFoundError):
            return _secret_in(name, Path(folder, name)) or default
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return _secret_in(f"{name}_FILE", Path(path))
        except FileNotFoundError:
            stop(f"{name}_FILE names {path}, but there is no such file.")
    return default


def _secret_in(name: str, path: Path) -> str:
    try:
        return _text(path).strip()
    except FileNotFoundError:
        raise
    except OSError as exc:
        stop(f"{name}: {path} cannot be read: {exc.strerror}.")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        stop(f"{path} is no text.")


def required_secrets(*names: str) -> list[str]:
    """Return the named secrets, or stop the start with one sentence that names them."""
    values = [secret(name) for name in names]
    if missing := [
        _named(name) for name, value in zip(names, values, strict=True) if not value
    ]:
        stop(
            f"It cannot do without {', '.join(missing)}: set "
            f"{'it' if len(missing) == 1 else 'them'} in the environment, in "
            f"{'a file' if len(missing) == 1 else 'files'} named by NAME_FILE, or in "
            "the file named by ENV_FILE."
        )
    return values


def _named(name: str) -> str:
    path = os.environ.get(f"{name}_FILE")
    return f"{name} ({path} is empty)" if path else name


def number(name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
    """Return a setting that counts something; an empty one is one that is not set."""
    given = os.environ.get(name, "").strip()
    if not given:
        return default
    if given.isascii() and given.isdecimal():
        value = int(given)
        if value >= least and (most is None or value <= most):
            return value
    wanted = f"{least} or more" if most is None else f"from {least} to {most}"
    stop(f"{name} must be a number, {wanted}.")


def flag(name: str, *, default: bool) -> bool:
    given = os.environ.get(name, "").strip().lower()
    if given and given not in FLAGS:
        stop(f"{name} must be on or off.")
    return FLAGS.get(given, default)


def one_of(name: str, default: str, known: Collection[str]) -> str:
    given = os.environ.get(name, "").strip() or default
    if given not in known:
        stop(f"{name} must be one of {', '.join(known)}.")
    return given


def time_zone(name: str, default: str) -> str:
    given = os.environ.get(name, "").strip() or default
    try:
        ZoneInfo(given)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        is_known = False
    else:
        # Django knows those of the system alone, where it has any.
        is_known = not ZONES.exists() or (ZONES / given).exists()
    if not is_known:
        stop(f"{name} must be a time zone, such as UTC or Europe/Berlin.")
    return given


def application_name(encryption_keys: str) -> str:
    """Return what the database knows this process by: the ids of its keys."""
    ids = (part.partition(":")[0].strip() for part in encryption_keys.split(","))
    return APPLICATION + ",".join(ids)
