"""The programs that are compared, and what one start of them took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.requirements import find_program

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Place:
    """A mailbox behind a line, in clear text as nobody else can listen."""

    port: int
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What one start of a program took."""

    # Of the whole process, with its start.
    seconds: float
    # Of the copy alone, where the program tells.
    copying: float | None
    cpu: float
    # In bytes, at the highest.
    memory: int
    code: int
    words: str


class Program(Protocol):
    name: str

    def version(self) -> str | None:
        """Return what is installed, or None if nothing is."""

    def copy(self, source: Place, destination: Place, folder: Path) -> Cost: ...


def measure(
    command: list[str],
    *,
    folder: Path,
    environment: dict[str, str] | None = None,
    words: str = "",
    patience: float = 3_600,
) -> Cost:
    """Run a program to its end, or to ours if it takes far too long."""
    said = folder / "said"
    wish = {
        "command": command,
        "environment": environment or {},
        "words": words,
        "patience": patience,
        "said": str(said),
    }
    # Isolated, so that it holds next to nothing.
    starter = [sys.executable, "-IS", str(Path(__file__).parent / "starter.py")]
    done = subprocess.run(
        starter,
        cwd=ROOT,
        input=json.dumps(wish),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    return Cost(copying=None, words=said.read_text(errors="replace"), **told)


class Pipeline:
    """Our engine as an operator starts it."""

    name = "pipeline"

    def version(self) -> str | None:
        return f"Python {sys.version.split()[0]}"

    def copy(self, source: Place, destination: Place, folder: Path) -> Cost:
        command = [sys.executable, "manage.py", "copy_mailbox", "--json"]
        command += ["--engine", "pipeline"]
        for side, place in (("source", source), ("destination", destination)):
            password = _written(folder / f"{side}.password", place.password)
            command += [f"--{side}", f"imap://127.0.0.1:{place.port}"]
            command += [f"--{side}-user", place.user]
            command += [f"--{side}-password-file", password]
        # Secrets that open nothing; a copy from the command line needs no database.
        environment = {"DJANGO_SETTINGS_MODULE": "tests.settings"}
        return _told(measure(command, folder=folder, environment=environment))


class Straight:
    """Our engine without Django around it."""

    name = "pipeline, engine alone"

    def version(self) -> str | None:
        return f"Python {sys.version.split()[0]}"

    def copy(self, source: Place, destination: Place, folder: Path) -> Cost:
        places = [[it.port, it.user, it.password] for it in (source, destination)]
        command = [sys.executable, "-m", "tests.benchmarks.copying.straight"]
        return _told(measure(command, folder=folder, words=json.dumps(places)))


class Imapsync:
    """As its own documentation says, but for what would call home or write logs."""

    name = "imapsync"

    def version(self) -> str | None:
        program = self._program()
        if program is None:
            return None
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=30
        )
        return done.stdout.strip() if done.returncode == 0 else None

    def copy(self, source: Place, destination: Place, folder: Path) -> Cost:
        program = self._program()
        assert program is not None
        command = [program, "--nolog", "--noreleasecheck", "--noid"]
        command += ["--nodockercontext", "--no-modulesversion"]
        command += [f"--tmpdir={folder}", f"--pidfile={folder / 'pid'}"]
        for number, place in enumerate((source, destination), start=1):
            password = _written(folder / f"{number}.password", place.password)
            command += [f"--host{number}=127.0.0.1", f"--port{number}={place.port}"]
            command += [
                f"--user{number}={place.user}",
                f"--passfile{number}={password}",
            ]
            command += [f"--nossl{number}", f"--notls{number}"]
        return measure(command, folder=folder)

    def _program(self) -> str | None:
        return find_program(os.environ.get("IMAPSYNC_BIN") or "imapsync")


class Mbsync:
    """One way, with the number of commands under way that it comes with."""

    name = "mbsync"

    def version(self) -> str | None:
        program = find_program("mbsync")
        if program is None:
            return None
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=30
        )
        return done.stdout.strip()

    def copy(self, source: Place, destination: Place, folder: Path) -> Cost:
        program = find_program("mbsync")
        assert program is not None
        # What it remembers of the first run is what makes its second one fast.
        state = folder / f"mbsync-{destination.user}"
        state.mkdir(exist_ok=True)
        text = ""
        for side, place in (("far", source), ("near", destination)):
            text += (
                f"IMAPAccount {side}\nHost 127.0.0.1\nPort {place.port}\n"
                f'User {place.user}\nPass "{place.password}"\n'
                f"SSLType None\nAuthMechs LOGIN\n\n"
                f"IMAPStore {side}\nAccount {side}\n\n"
            )
        text += (
            "Channel copy\nFar :far:\nNear :near:\nPatterns *\n"
            f"Sync Pull\nCreate Near\nExpunge None\nSyncState {state}/\n"
        )
        settings = _written(folder / "mbsyncrc", text)
        return measure([program, "-q", "-c", settings, "copy"], folder=folder)


def programs() -> list[Program]:
    return [Pipeline(), Straight(), Mbsync(), Imapsync()]


def _told(cost: Cost) -> Cost:
    """Return the cost with what our own engine says of it."""
    try:
        told = json.loads(cost.words.strip().splitlines()[-1])
        copying = float(told["seconds"])
    except (ValueError, KeyError, IndexError):
        copying = None
    return Cost(cost.seconds, copying, cost.cpu, cost.memory, cost.code, cost.words)


def _written(path: Path, text: str) -> str:
    path.touch(mode=0o600)
    path.write_text(text)
    return str(path)
