"""What the settings say, without asking anybody."""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Tags, run_checks

from purelymanage import crypto, operating
from purelymanage.dashboard import checked, machine
from purelymanage.dashboard.doctor.results import (
    Check,
    Result,
    attention,
    broken,
    good,
)
from purelymanage.environment import BASE_DIR

EXAMPLE = BASE_DIR / "deploy" / "env.example"
SETTING = re.compile(r"^#?([A-Z_]+)=", re.MULTILINE)
SET = re.compile(r"^([A-Za-z_]\w*)\s*=", re.MULTILINE)
# Known besides those that the example explains.
OTHERS = re.compile(
    r"QUICKSTART_\w+|Q_CLUSTER_NAME|DJANGO_SETTINGS_MODULE|TZ|PYTHON\w+"
)
OPEN_TO_OTHERS = 0o077
LONGEST_IDLE = 24  # hours


def checks() -> list[Check]:
    return [
        Check("env file", _env_file),
        Check("names of settings", _names),
        Check("files of secrets", _secret_files),
        Check("keys", _keys),
        Check("address", _address),
        Check("security settings", _security),
        Check("mail settings", checked.mail_settings),
        Check("copies", _copies, seconds=15),
        Check("other settings", _rest),
    ]


def env_file() -> Path | None:
    """Return the file that the settings were read from."""
    named = os.environ.get("ENV_FILE")
    path = Path(named) if named else BASE_DIR / "var" / "env"
    return path if path.is_file() else None


def _env_file() -> Iterator[Result]:
    subject, path = "env file", env_file()
    if path is None:
        yield good(subject, "There is none: all settings are in the environment.")
    elif found := _exposed(path):
        yield broken(subject, *found)
    else:
        yield good(
            subject, f"Settings are read from {path}, which is closed to others."
        )


def _names() -> Iterator[Result]:
    subject, path = "names of settings", env_file()
    known = set(SETTING.findall(EXAMPLE.read_text(encoding="utf-8")))
    unknown = [
        name
        for name in SET.findall(path.read_text(encoding="utf-8") if path else "")
        if name not in known
        and name.removesuffix("_FILE") not in known
        and not OTHERS.fullmatch(name)
    ]
    if unknown:
        yield attention(
            subject,
            f"No setting is called {', '.join(unknown)}.",
            f"See {EXAMPLE.name} for how it is spelt, or take it out.",
        )
    else:
        yield good(subject, "All are known.")


def _secret_files() -> Iterator[Result]:
    subject, problems, count = "files of secrets", 0, 0
    for name in SETTING.findall(EXAMPLE.read_text(encoding="utf-8")):
        if path := os.environ.get(f"{name}_FILE"):
            count += 1
            if found := _exposed(Path(path)):
                problems += 1
                yield broken(subject, f"{name}: {found[0]}", found[1])
    if not problems:
        yield good(subject, f"{count or 'None'} in use, and closed to others.")


def _exposed(path: Path) -> tuple[str, str] | None:
    """Say how others could read or change a file, and the mend; None if they cannot."""
    own = f"sudo chown {getpass.getuser()} {path}"
    try:
        found = path.stat()
    except OSError as exc:
        return f"{path} cannot be read: {exc.strerror}.", own
    if not path.is_file():
        return None  # a pipe that somebody has opened for us
    if found.st_mode & OPEN_TO_OTHERS:
        words = f"{path} is open to others (mode {found.st_mode & 0o777:o})."
        return words, f"sudo chmod 600 {path}"
    if found.st_uid not in {0, os.geteuid()} and os.geteuid() != 0:
        return f"{path} belongs to another user.", own
    return None


def _keys() -> Iterator[Result]:
    subject = "keys"
    try:
        first, *old = crypto.key_ids()
    except crypto.Malformed as exc:
        yield broken(
            subject,
            str(exc),
            "Put the right ones back: the backup holds them. For a new panel, "
            "deploy/env.example says how to make one.",
        )
        return
    if old:
        yield attention(
            subject,
            f"The key {first} seals; older ones are kept: {', '.join(old)}.",
            f"{operating.command('rotate_keys')} says whether they can be taken out.",
        )
    else:
        yield good(subject, f"The key {first} seals, and no older one is kept.")
    for name, least in (("SECRET_KEY", 40), ("AUDIT_KEY", 32)):
        if (
            len(set(getattr(settings, name))) < 5
            or len(getattr(settings, name)) < least
        ):
            yield attention(
                subject,
                f"{name} is short enough to be guessed.",
                "Make a random one as env.example says, and name the present one in "
                f"{name}_FALLBACKS.",
            )
    if settings.SECRET_KEY_FALLBACKS:
        yield attention(
            subject,
            "A former SECRET_KEY is still good for sessions.",
            "Take SECRET_KEY_FALLBACKS out two weeks after the change.",
        )


def _address() -> Iterator[Result]:
    subject, url = "address", urlsplit(settings.BASE_URL)
    host = url.hostname or ""
    allowed = settings.ALLOWED_HOSTS
    if host not in allowed and f"[{host}]" not in allowed:
        yield broken(
            subject,
            f"ALLOWED_HOSTS does not name {host}, so that nobody gets in there.",
            f"Put {host} into ALLOWED_HOSTS.",
        )
    if "*" in allowed or any(it.startswith(".") for it in allowed):
        yield attention(
            subject,
            "ALLOWED_HOSTS lets requests name hosts that are not this panel.",
            f"Name {host} alone.",
        )
    if url.scheme == "http" and host not in {"localhost", "127.0.0.1", "::1"}:
        yield broken(
            subject,
            f"People reach {host} without encryption: passwords can be read on the way.",
            "Put a proxy with a certificate in front, and https:// into BASE_URL.",
        )
    elif url.scheme == "https" and not settings.ALLAUTH_TRUSTED_PROXY_COUNT:
        yield attention(
            subject,
            "No proxy is trusted, so that all people seem to come from one address.",
            "Say in TRUSTED_PROXIES how many proxies are in front, mostly 1.",
        )
    else:
        yield good(subject, f"People reach the panel at {settings.BASE_URL}.")


def _security() -> Iterator[Result]:
    subject = "security settings"
    if not settings.BASE_URL.startswith("https://"):
        yield good(subject, "They are for https, which this panel does not have.")
        return
    found = [
        message
        for message in run_checks(tags=[Tags.security], include_deployment_checks=True)
        if not message.is_silenced()
    ]
    for message in found:
        yield attention(subject, str(message.msg), str(message.hint or message.id))
    if not found:
        yield good(subject, "Django finds nothing to object to.")


def _copies() -> Iterator[Result]:
    subject, engine = "copies", settings.MIGRATION_ENGINE
    found = machine.imapsync()
    if engine == "imapsync" and not found.version:
        yield broken(
            subject,
            "All copies are to be made by imapsync, which "
            f"{'does not start' if found.is_found else 'is not installed'}.",
            "Install it, say in IMAPSYNC_BIN where it is, or let MIGRATION_ENGINE be "
            "auto.",
        )
    elif found.is_found and not found.version:
        yield attention(
            subject,
            "imapsync is found, but it does not start.",
            "Run it by hand to see why: mostly a package of Perl is missing.",
        )
    else:
        yield good(subject, f"imapsync: {found.words}.")


def _rest() -> Iterator[Result]:
    subject = "other settings"
    checkpoints = settings.AUDIT_CHECKPOINT_FILE
    if checkpoints and not os.access(Path(checkpoints).parent, os.W_OK):
        yield broken(
            subject,
            f"Checkpoints of the audit log cannot be written to {checkpoints}.",
            "Make its folder, and let the user of the panel write there.",
        )
        return
    if settings.SESSION_IDLE_HOURS > LONGEST_IDLE:
        yield attention(
            subject,
            f"People stay signed in for {settings.SESSION_IDLE_HOURS} hours without "
            "doing anything.",
            f"Let SESSION_IDLE_HOURS be {LONGEST_IDLE} at most.",
        )
        return
    authorities = settings.IMAP_CA_FILE
    if authorities and not os.access(authorities, os.R_OK):
        yield broken(
            subject,
            f"IMAP_CA_FILE names {authorities}, which cannot be read.",
            "Correct it, or take it out if servers have usual certificates.",
        )
        return
    yield good(subject, "They make sense.")
