"""The settings of an installation: read from its env file, put into a backup, put back.

Each secret may be in a file of its own, which `NAME_FILE` names.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.backups.problems import Failed, reason
from purelymanage.environment import BASE_DIR
from purelymanage.quickstart import environment

# What the database cannot be read without: these are put back as they were.
KEYS = (
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "ENCRYPTION_KEYS",
    "AUDIT_KEY",
    "AUDIT_KEY_FALLBACKS",
)
NEEDED = ("SECRET_KEY", "ENCRYPTION_KEYS", "AUDIT_KEY")
# About a machine and not about the panel: these are never put back.
OF_MACHINE = (
    "DATABASE_URL",
    "DATABASE_POOL",
    "STATIC_ROOT",
    "AUDIT_CHECKPOINT_FILE",
    "IMAP_CA_FILE",
    "IMAPSYNC_BIN",
)
OF_QUICKSTART = "QUICKSTART_"
PLACES = (BASE_DIR / "var" / "env", Path("/etc/purelymanage/env"))
FILE = "_FILE"
EXAMPLE = BASE_DIR / "deploy" / "env.example"
KNOWN = re.compile(r"^#?([A-Z_]+)=", re.MULTILINE)


@dataclass(frozen=True)
class Settings:
    """The settings as they are, and where they are."""

    path: Path | None
    # As the env file and the environment have them, `NAME_FILE` included. Of the latter
    # alone what is known as a setting: it holds more than that.
    raw: Mapping[str, str]

    def get(self, name: str) -> str:
        if value := self.raw.get(name):
            return value
        if path := self.raw.get(name + FILE):
            try:
                return Path(path).read_text(encoding="utf-8").strip()
            except OSError as exc:
                raise Failed(
                    f"{path}, which {name}_FILE names, cannot be read: {reason(exc)}."
                ) from exc
        return ""

    def all(self) -> dict[str, str]:
        """Return each setting that has a value, wherever that is."""
        names = {
            name.removesuffix(FILE) if _is_secret_file(name) else name
            for name in self.raw
        }
        return {name: value for name in sorted(names) if (value := self.get(name))}


def load(path: Path | None) -> Settings:
    """Read the env file that is named, or the one of this installation."""
    named = path or (Path(it) if (it := os.environ.get("ENV_FILE")) else None)
    found = named or next((it for it in PLACES if it.exists()), None)
    if named and not named.is_file():
        raise Failed(f"There is no file {named}.")
    try:
        kept = environment.read(found) if found else {}
    except OSError as exc:
        raise Failed(f"{found} cannot be read: {reason(exc)}.") from exc
    wanted = {*known(), *kept}
    given = {
        name: value
        for name, value in os.environ.items()
        if value and (name in wanted or name.removesuffix(FILE) in wanted)
    }
    return Settings(found, kept | given)


def known() -> list[str]:
    """Return the names of all settings there are, for those that no file has."""
    return KNOWN.findall(EXAMPLE.read_text(encoding="utf-8"))


def to_change(settings: Settings, saved: Mapping[str, str]) -> dict[str, str]:
    """Return what a backup sets otherwise; raise `Failed` where it cannot be written.

    What else was set is added where this installation has nothing.
    """
    if settings.path is None:
        raise Failed("Name the env file that the keys are to be written to.")
    wanted = {name: saved.get(name, "") for name in KEYS}
    wanted |= {
        name: value
        for name, value in saved.items()
        if name not in (*KEYS, *OF_MACHINE)
        and not name.startswith(OF_QUICKSTART)
        and not settings.get(name)
    }
    changed = {
        name: value for name, value in wanted.items() if settings.get(name) != value
    }
    for name, value in changed.items():
        if os.environ.get(name, value) != value:
            raise Failed(f"The environment sets {name}; take it out there first.")
    return changed


def put_back(settings: Settings, saved: Mapping[str, str]) -> list[str]:
    """Write the keys of a backup where the settings have theirs; return their names."""
    changed = to_change(settings, saved)
    lines: dict[str, str] = {}
    for name, value in changed.items():
        if path := settings.raw.get(name + FILE):
            _write(Path(path), value + "\n")
        else:
            lines[name] = value
    if lines and settings.path is not None:
        _write(settings.path, _with_lines(settings.path, lines))
    return list(changed)


def _is_secret_file(name: str) -> bool:
    return name.endswith(FILE) and name not in OF_MACHINE


def _with_lines(path: Path, lines: Mapping[str, str]) -> str:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    kept = [
        line
        for line in text.splitlines()
        if line.partition("=")[0].strip() not in lines
    ]
    kept += [f"{name}='{value}'" for name, value in lines.items() if value]
    return "\n".join(kept) + "\n"


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner reads, at once where its folder allows it."""
    try:
        descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    except PermissionError:
        # The file is ours and its folder is not.
        path.write_text(text, encoding="utf-8")
        return
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
        if path.exists() and os.geteuid() == 0:
            os.fchown(file.fileno(), path.stat().st_uid, path.stat().st_gid)
    Path(draft).replace(path)
