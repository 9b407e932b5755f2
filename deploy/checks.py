"""Runs all checks with a PostgreSQL of their own; arguments go to pytest.

Every check runs, also after one has failed. The last line is pytest's summary.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from purelymanage.environment import BASE_DIR
from purelymanage.quickstart.environment import OWNED
from purelymanage.quickstart.postgres import Cluster, PostgresFailed
from tests.imap import packages

# What some tests need, as programs and as packages of Debian and Ubuntu.
PROGRAMS = {
    "dovecot": "dovecot-imapd",
    "chromium-headless-shell": "chromium-headless-shell",
    "nginx": "nginx-light",
    "shellcheck": "shellcheck",
    "systemd-analyze": "systemd",
    "rclone": "rclone",
    "age": "age",
    "pg_lsclusters": "postgresql",
    "ip": "iproute2",
}
# What does as well but takes longer, where a release lacks the first.
OTHERWISE = {"chromium-headless-shell": ("chromium",)}
# And those that bring no program.
MODULES = ("python3-venv",)
# What those of them start that are services.
SERVICES = {
    "dovecot": ["dovecot.service", "dovecot.socket"],
    "nginx": ["nginx.service"],
    "pg_lsclusters": ["postgresql.service"],
}
SERVICE_POLICY = Path("/usr/sbin/policy-rc.d")
PYTHON = [sys.executable, "-m"]
AT_ONCE = {
    "ruff check": [*PYTHON, "ruff", "check"],
    "ruff format": [*PYTHON, "ruff", "format", "--check"],
}
# These take longer, and so they run while tests wait for servers.
BESIDE = {
    "mypy": [*PYTHON, "mypy", "--strict", "purelymanage", "tests", "deploy"],
    "djlint": [*PYTHON, "djlint", "--lint", "--quiet", "templates"],
    "makemigrations": [
        *(sys.executable, "manage.py"),
        *("makemigrations", "--check", "--dry-run"),
    ],
}
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Outcome(NamedTuple):
    passed: bool
    seconds: float
    output: str


def main(arguments: list[str]) -> int:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    _install_programs()
    failed = []
    with _database() as url:
        env = {
            name: value
            for name, value in os.environ.items()
            if name not in OWNED and name.removesuffix("_FILE") not in OWNED
        }
        env |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        # What one of a hundred processes has compiled, the others need not.
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        for name, command in AT_ONCE.items():
            if not _passes(name, command, env):
                failed.append(name)
        with _beside(env) as outcomes:
            code, closing, skipped = _pytest(arguments, env)
            _say("")
            for name, outcome in outcomes.items():
                _begin(name)
                if not _end(outcome.result()):
                    failed.append(name)

    if skipped:
        _say("\nNot tried on this machine:")
        for reason in skipped:
            _say(f"  {reason}")
    if code:
        failed.append("pytest")
    _say(f"\nFailed: {', '.join(failed)}" if failed else "\nAll checks passed.")
    _say(closing)
    return 1 if failed else 0


def _install_programs() -> None:
    """Install by apt what tests need, where we may; elsewhere those tests skip."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    missing = [
        package
        for name, package in PROGRAMS.items()
        if not any(map(_find, (name, *OTHERWISE.get(name, ()))))
    ]
    missing += [name for name in MODULES if not packages.is_installed(name)]
    servers = packages.missing()
    if not (missing or servers):
        return
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "--quiet", "--quiet"]
    install = ["install", "--yes", "--no-install-recommends"]
    with _no_new_services():
        _passes("apt-get update", [*apt, "update"], env)
        # All at once takes half the time; a release may lack one of them.
        if not _passes("apt-get install", [*apt, *install, *missing], env):
            for package in missing:
                any(
                    _passes(f"apt-get install {it}", [*apt, *install, it], env)
                    for it in (package, *OTHERWISE.get(package, ()))
                )
    for package in servers:
        fetch, unpack = packages.unpack_commands(package)
        if _passes(f"fetch {package}", fetch, env):
            _passes(f"unpack {package}", unpack, env)


@contextlib.contextmanager
def _no_new_services() -> Iterator[None]:
    """Keep packages from starting their services now and at the next boot."""
    ours = not SERVICE_POLICY.exists()
    new = [units for program, units in SERVICES.items() if not _find(program)]
    if ours:
        SERVICE_POLICY.write_text("#!/bin/sh\nexit 101\n")
        SERVICE_POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            SERVICE_POLICY.unlink(missing_ok=True)
        if new and Path("/run/systemd/system").exists():
            subprocess.run(
                ["systemctl", "disable", "--now", *chain(*new)],  # noqa: S607
                capture_output=True,
                check=False,
            )


def _find(program: str) -> str | None:
    path = os.environ.get("PATH", os.defpath)
    return shutil.which(program, path=f"{path}:/usr/sbin:/usr/local/sbin")


@contextlib.contextmanager
def _database() -> Iterator[str]:
    home = Path(tempfile.mkdtemp(prefix="purelymanage-test-"))
    home.chmod(0o711)
    cluster = Cluster(home / "postgres", log=home / "postgres.log", durable=False)
    try:
        cluster.start()
        yield cluster.url("purelymanage")
    finally:
        cluster.stop()
        cluster.remove()
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def _beside(env: dict[str, str]) -> Iterator[dict[str, Future[Outcome]]]:
    """Run the checks that take longer, one after another, beside something else."""
    with ThreadPoolExecutor(1) as pool:
        try:
            yield {
                name: pool.submit(_run, command, env)
                for name, command in BESIDE.items()
            }
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _passes(name: str, command: list[str], env: dict[str, str]) -> bool:
    _begin(name)
    return _end(_run(command, env))


def _run(command: list[str], env: dict[str, str]) -> Outcome:
    began = time.monotonic()
    done = subprocess.run(
        command,
        cwd=BASE_DIR,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Outcome(not done.returncode, time.monotonic() - began, done.stdout)


def _begin(name: str) -> None:
    sys.stdout.write(f"  {name:<28}")
    sys.stdout.flush()


def _end(outcome: Outcome) -> bool:
    """Say how a check ended, and what it said only if it failed."""
    word = "passed" if outcome.passed else "failed"
    _say(f"{word}{outcome.seconds:8.1f} s")
    if not outcome.passed:
        _say(outcome.output)
    return outcome.passed


def _pytest(arguments: list[str], env: dict[str, str]) -> tuple[int, str, list[str]]:
    """Run the tests; return the exit code, the closing line and reasons for skips."""
    command = [sys.executable, "-m", "pytest", "-rfEs"]
    if not arguments:  # of a part, the coverage says nothing
        command[1:1] = ["-m", "slipcover"]
        # It cannot measure the tests themselves, nor is it asked to.
        env = env | {"PYTHONWARNINGS": "ignore:Unable to activate pytest branch"}
    # Much of the time is spent waiting for servers, so more than there are cores.
    command += ["--numprocesses", "3", "--dist", "loadfile", "--no-loadscope-reorder"]
    if sys.stdout.isatty():
        command.append("--color=yes")
    command += arguments
    closing, skipped = "0 passed", []
    with subprocess.Popen(
        command,
        cwd=BASE_DIR,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout
        try:
            for line in process.stdout:
                sys.stdout.write(line)
                sys.stdout.flush()
                plain = COLOURS.sub("", line).strip()
                if plain.startswith("SKIPPED ["):
                    skipped.append(plain.removeprefix("SKIPPED "))
                elif re.search(r"\d+ \w+.* in \d+\.\d+s", plain):
                    closing = plain.strip("= ")
        except BaseException:
            process.terminate()
            raise
    return process.returncode, closing, skipped


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (PostgresFailed, KeyboardInterrupt) as exc:
        sys.exit(str(exc) or "Interrupted.")
