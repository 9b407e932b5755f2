"""Which imapsync there is."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path

PATIENCE = 15  # seconds; it has a lot of Perl to read
_VERSION = re.compile(r"\d+(?:\.\d+)+")


def find_program(name: str) -> str | None:
    """Return the absolute path of an executable, given by path or by name."""
    found = shutil.which(name) if name else None
    return os.path.abspath(found) if found else None  # noqa: PTH100 - keeps links


def version_of(path: str) -> str:
    """Return what the program calls its version, or nothing where it does not start."""
    try:
        facts = Path(path).stat()
    except OSError:
        return ""
    return _ask(path, facts.st_mtime_ns, facts.st_size)


@functools.lru_cache(maxsize=8)
def _ask(path: str, changed: int, size: int) -> str:
    """Ask once for each state of the file: an answer takes half a second."""
    try:
        answer = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    lines = answer.stdout.decode("utf-8", "replace").split()
    fitting = lines and answer.returncode == 0 and _VERSION.fullmatch(lines[0])
    return lines[0] if fitting else ""


def environment(home: str = "/") -> dict[str, str]:
    """Return all that it may know of ours: secrets of the panel are not in it."""
    kept = ("PATH", "PERL5LIB", "SSL_CERT_DIR", "SSL_CERT_FILE")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    return {"HOME": home, "LC_ALL": "C.UTF-8", "TMPDIR": home} | found
