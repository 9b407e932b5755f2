"""Packages of the system, and the user whose the panel is."""

from __future__ import annotations

from deploy.installation import places
from deploy.installation.choices import Choices
from deploy.installation.machine import Failed, Machine
from deploy.installation.preflight import System


def install_packages(
    machine: Machine, choices: Choices, system: System, *, with_database: bool
) -> None:
    machine.step("Packages")
    wanted = ["ca-certificates", system.python, f"{system.python}-venv"]
    # Backups are made by the programs of PostgreSQL, wherever the database is.
    wanted.append("postgresql" if with_database else "postgresql-client")
    if choices.web == "nginx":
        wanted.append("nginx")
        if not choices.certificate:
            wanted.append("certbot")
    status = ("dpkg-query", "--show", "--showformat", "${db:Status-Status}")
    missing = [it for it in wanted if machine.ask(*status, it) != "installed"]
    if not missing:
        machine.keep(", ".join(wanted))
        return
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    machine.run("apt-get", "update", "-qq", env=env)
    if not machine.dry and machine.ask("apt-cache", "show", system.python) is None:
        raise Failed(
            f"{system.name} offers no {system.python}, which the panel needs: "
            "add-apt-repository universe, and see that jammy-updates is among the "
            "sources of packages."
        )
    install = ("apt-get", "install", "-qq", "--yes", "--no-install-recommends")
    machine.run(*install, *missing, env=env)


def make_user(machine: Machine) -> None:
    machine.step("User")
    if machine.ask("id", "-u", places.USER):
        machine.keep(places.USER)
    else:
        machine.run(
            *("useradd", "--system", "--user-group", "--no-create-home"),
            *("--home-dir", places.STATE, "--shell", "/usr/sbin/nologin", places.USER),
        )
    # As the services find it; systemd makes it as well.
    machine.folder(places.STATE, 0o750, places.USER)
