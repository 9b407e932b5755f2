"""Makes `.venv` with the packages of a lock file, then becomes a program in it.

    python deploy/venv.py LOCK ARGUMENTS-FOR-PYTHON…

Needs the standard library alone, as it runs before anything is installed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

BASE_DIR = Path(__file__).resolve().parent.parent
VENV = BASE_DIR / ".venv"
PYTHON = VENV / "bin" / "python"


def main(lock: str, *arguments: str) -> None:
    began = time.monotonic()
    try:
        ensure(BASE_DIR / lock)
    except OSError as exc:
        name = exc.filename or VENV
        raise SystemExit(f"{name} cannot be written: {exc.strerror}.") from exc
    os.chdir(BASE_DIR)
    if "quickstart" in arguments:
        # It says how long everything took, this here as well.
        os.environ["QUICKSTART_BEGAN"] = str(began)
    os.execv(PYTHON, [str(PYTHON), *arguments])  # noqa: S606


def ensure(lock: Path) -> None:
    """Install what `lock` lists, unless the stamp says that this was done."""
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = VENV / f"installed-{lock.name}"
    if _reads(stamp) == digest and _works("import django"):
        return
    with _alone() as held:
        if _reads(stamp) == digest and _works("import django"):
            return
        stamp.unlink(missing_ok=True)
        if not _works("import pip, sys; sys.exit(sys.version_info < (3, 11))"):
            # Never made, left half made, or made by a Python that has gone since.
            shutil.rmtree(VENV, ignore_errors=True)
            with _step("Python environment"):
                _run(held, sys.executable, "-m", "venv", str(VENV))
        with _step("Packages, once"):
            pip = (str(PYTHON), "-m", "pip", "install", "-qq", "--no-input")
            quiet = ("--disable-pip-version-check", "--no-warn-script-location")
            _run(held, *pip, *quiet, "--require-hashes", "--requirement", str(lock))
        stamp.write_text(digest)


def _works(statement: str) -> bool:
    try:
        tried = subprocess.run(
            [str(PYTHON), "-c", statement], capture_output=True, check=False
        )
    except OSError:
        return False
    return tried.returncode == 0


def _reads(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


@contextlib.contextmanager
def _alone() -> Iterator[int]:
    """Let nobody else install into this folder at the same time.

    The programs we run inherit the lock, so that one which outlives us keeps it.
    """
    descriptor = os.open(BASE_DIR / "deploy", os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if not os.access(BASE_DIR, os.W_OK):
            raise PermissionError(13, "Permission denied", str(BASE_DIR))
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _step(label: str) -> Iterator[None]:
    began = time.monotonic()
    sys.stdout.write(f"  {label:<28}")
    sys.stdout.flush()
    try:
        yield
    except BaseException:
        sys.stdout.write("\n")
        raise
    sys.stdout.write(f"{time.monotonic() - began:6.1f} s\n")
    sys.stdout.flush()


def _run(held: int, *command: str) -> None:
    """Run a program that ends with us, whoever asks us to end."""
    process = subprocess.Popen(
        command, cwd=BASE_DIR, start_new_session=True, pass_fds=[held]
    )
    handlers = {
        number: signal.signal(number, _leave)
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        code = process.wait()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if code:
        raise SystemExit(f"\nThis did not work: {' '.join(command[:4])} … (see above).")


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main(*sys.argv[1:])
