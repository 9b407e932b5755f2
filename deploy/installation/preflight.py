"""Whether this machine can take the panel, before anything is changed."""

from __future__ import annotations

import errno
import os
import re
import shutil
import socket
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.installation import places
from deploy.installation.choices import Choices
from deploy.installation.machine import Failed, Machine

# The systems it was made for, and what their Python of 3.11 or later is called. That of
# Ubuntu 22.04 is in its "universe".
PYTHONS = {
    ("debian", "12"): "python3",
    ("debian", "13"): "python3",
    ("ubuntu", "22.04"): "python3.11",
    ("ubuntu", "24.04"): "python3",
}
DISK = 1_500_000_000
MEMORY = 1_000_000_000


@dataclass(frozen=True)
class System:
    name: str
    python: str
    # Whether services can be started: not in a chroot.
    has_systemd: bool


def look(machine: Machine) -> System:
    """Return what the machine is, or raise Failed with what to do first."""
    found = system()
    if sys.platform != "linux" or not shutil.which("apt-get"):
        raise Failed(
            "This installs on Debian and Ubuntu; see deploy/docker for others."
        )
    if os.geteuid() != 0 and not machine.dry:
        raise Failed("Only root can install: sudo ./deploy/install …")
    machine.note(f"{found.name}, {found.python}")
    if not found.has_systemd:
        machine.note("systemd does not run here: services are set up, but not started.")
    return found


def look_at_needs(machine: Machine, choices: Choices) -> None:
    """Raise Failed where a release would not fit, or could not be reached."""
    _look_for_room(machine)
    if choices.web == "nginx":
        if choices.certificate:
            _look_at_certificate(machine, *choices.certificate_files)
        _look_at_ports(machine)


def system() -> System:
    release = Path("/etc/os-release").read_text(encoding="utf-8")
    fields = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', release, re.MULTILINE))
    known = (fields.get("ID", ""), fields.get("VERSION_ID", ""))
    name = fields.get("PRETTY_NAME", "this system")
    if known not in PYTHONS:
        raise Failed(
            f"{name} was never tried. Debian 12 and 13 and Ubuntu 22.04 and 24.04 "
            "were; deploy/docker runs anywhere."
        )
    return System(name, PYTHONS[known], Path("/run/systemd/system").is_dir())


def _look_for_room(machine: Machine) -> None:
    place = places.HOME if places.HOME.exists() else places.HOME.parent
    free = shutil.disk_usage(place if place.exists() else Path("/")).free
    if free < DISK:
        raise Failed(
            f"{place} has {free / 1e9:.1f} GB left, and {DISK / 1e9:.1f} are needed."
        )
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    machine.note(f"{free / 1e9:.0f} GB of disk free, {memory / 1e9:.1f} GB of memory")
    if memory < MEMORY:
        machine.note("That is little memory: 2 GB are enough for the panel and copies.")


def _look_at_certificate(machine: Machine, certificate: Path, key: Path) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except ssl.SSLError as exc:
        raise Failed(
            f"{certificate} and {key} are no certificate and its key: {exc.reason}."
        ) from exc
    except OSError as exc:
        if isinstance(exc, PermissionError) and machine.dry:
            return
        raise Failed(f"{certificate} or {key} cannot be read: {exc.strerror}.") from exc


def _look_at_ports(machine: Machine) -> None:
    """Refuse where another web server has the ports that nginx needs."""
    if shutil.which("nginx", path="/usr/sbin:/usr/bin") or os.geteuid() != 0:
        return
    for port in (80, 443):
        with socket.socket() as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                attempt.bind(("", port))
            except OSError as exc:
                if exc.errno != errno.EADDRINUSE:
                    raise
                raise Failed(
                    f"Another program has port {port}. Stop it, or say --no-nginx and "
                    f"lead it to {places.SOCKET} (deploy/nginx shows what it must say)."
                ) from exc
