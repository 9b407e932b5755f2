"""The database: on this machine, reached through its socket without any password."""

from __future__ import annotations

from deploy.installation import places
from deploy.installation.machine import Failed, Machine
from deploy.installation.preflight import System

URL = f"postgres://{places.USER}@/{places.DATABASE}?host=/run/postgresql"
OLDEST = 14


def make(machine: Machine, system: System) -> None:
    machine.step("Database")
    _start(machine, system)
    if places.USER in _query(machine, "SELECT rolname FROM pg_roles"):
        machine.keep(f"role {places.USER}")
    else:
        machine.run("createuser", places.USER, user="postgres")
    if places.DATABASE in _query(machine, "SELECT datname FROM pg_database"):
        machine.keep(f"database {places.DATABASE}")
    else:
        machine.run(
            *("createdb", "--owner", places.USER, "--encoding", "UTF8"),
            *("--locale", "C.UTF-8", "--template", "template0", places.DATABASE),
            user="postgres",
        )


def _start(machine: Machine, system: System) -> None:
    if system.has_systemd:
        machine.run("systemctl", "enable", "--quiet", "--now", "postgresql")
    clusters = machine.ask("pg_lsclusters", "--no-header")
    if clusters is None:
        return  # a dry run, before it was installed
    # Version, name, port, status, …; programs of the system take port 5432.
    rows = [line.split() for line in clusters.splitlines()]
    rows = [row for row in rows if row[2] == "5432"]
    if not rows:
        raise Failed(
            "No PostgreSQL of this machine has port 5432 (pg_lsclusters lists them). "
            "Make one with pg_createcluster, or name another by --database-url-file."
        )
    version, name, _, status = rows[0][:4]
    if int(version.partition(".")[0]) < OLDEST:
        raise Failed(f"PostgreSQL {version} is too old: {OLDEST} or later is needed.")
    if status.startswith("online"):
        machine.keep(f"PostgreSQL {version}")
    else:
        machine.run("pg_ctlcluster", version, name, "start")


def _query(machine: Machine, query: str) -> list[str]:
    found = machine.ask(
        *("psql", "--no-psqlrc", "--tuples-only", "--no-align"),
        *("--dbname", "postgres", "--command", query),
        user="postgres",
    )
    return (found or "").splitlines()
