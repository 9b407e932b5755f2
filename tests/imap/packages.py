"""Mail servers that Debian does not let us install next to each other.

Each of their packages excludes the others, and most bring along a system for sending
mail. So they are downloaded and unpacked into folders of their own: nothing is
installed, and no service begins.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

FOLDER = Path("/var/cache/purelymanage-test-servers")
# The program of each package that has to be there.
SERVERS = {
    "cyrus-imapd": "usr/lib/cyrus/bin/imapd",
    "courier-imap": "usr/bin/imapd",
    "mailutils-imap4d": "usr/sbin/imap4d",
}


def is_installed(package: str) -> bool:
    status = ("dpkg-query", "--show", "--showformat", "${db:Status-Status}")
    try:
        done = subprocess.run(
            [*status, package], capture_output=True, text=True, check=False
        )
    except OSError:
        return False
    return done.stdout == "installed"


def missing() -> list[str]:
    """Return the packages that are not unpacked yet."""
    return [
        name
        for name, program in SERVERS.items()
        if not (_root(name) / program).is_file()
    ]


def unpack_commands(package: str) -> list[list[str]]:
    """Return the commands that fetch a package with all it needs."""
    archives = FOLDER / "archives" / package
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    root = _root(package)
    root.mkdir(parents=True, exist_ok=True)
    FOLDER.chmod(0o755)
    return [
        [
            "apt-get",
            "--quiet",
            "--quiet",
            "install",
            "--yes",
            "--download-only",
            "--no-install-recommends",
            f"--option=Dir::Cache::archives={archives}",
            package,
        ],
        [
            "sh",
            "-c",
            'for it in "$1"/*.deb; do dpkg-deb --extract "$it" "$2" || exit; done',
            "sh",
            str(archives),
            str(root),
        ],
    ]


def require_server(package: str) -> tuple[Path, Mapping[str, str]]:
    """Return where a package lies and what its programs need, or skip the test."""
    root = _root(package)
    if not (root / SERVERS[package]).is_file():
        reason = f"{package} is not unpacked; ./deploy/test does so as root"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    libraries = {str(path.parent) for path in root.rglob("*.so*")}
    path = os.environ.get("PATH", os.defpath)
    return root, {"PATH": path, "LD_LIBRARY_PATH": ":".join(sorted(libraries))}


def as_nobody() -> dict[str, object]:
    """Return how a process gives up the rights of root, which no server needs."""
    if os.geteuid() != 0:
        return {}
    return {"user": "nobody", "group": "nogroup", "extra_groups": []}


def give_to_nobody(*folders: Path) -> None:
    if os.geteuid() == 0:
        for folder in folders:
            shutil.chown(folder, "nobody", "nogroup")


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=3)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _root(package: str) -> Path:
    return FOLDER / package
