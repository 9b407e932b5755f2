"""The user that PostgreSQL runs as under root, and the folders it can reach.

Nothing here changes the permissions of a folder that was there before.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import subprocess
from pathlib import Path

# This user has no entry in passwd, owns nothing else, and lies outside the ranges that
# distributions and systemd give away.
FIRST_SERVER_UID = 60_900
# Where files go that the server's user cannot reach in the clone.
ELSEWHERE = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 (made by root for itself)


def server_uid(home: Path) -> int:
    """Return the owner of the data in `home`, or a user id that nobody here has."""
    data = home / "data"
    if data.exists() and (owner := data.stat().st_uid):
        return owner
    uid = FIRST_SERVER_UID
    while True:
        try:
            pwd.getpwuid(uid)
        except KeyError:
            return uid
        uid += 1


def named_uid() -> int:
    """Return an unprivileged user id that passwd knows, which initdb insists on."""
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        return next(entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid)


def can_run(program: Path, uid: int) -> bool:
    return _works(uid, str(program), "--version")


def can_enter(folder: Path, uid: int) -> bool:
    return _works(uid, "/bin/sh", "-c", 'cd "$1"', "sh", str(folder))


def _works(uid: int, *command: str) -> bool:
    try:
        tried = subprocess.run(
            command,
            cwd="/",
            user=uid,
            group=uid,
            extra_groups=[],
            capture_output=True,
            check=False,
        )
    except OSError:
        return False
    return tried.returncode == 0


def find_elsewhere(home: Path) -> Path | None:
    """Return the folder that stands in for `home`, if one was made before."""
    for parent in ELSEWHERE:
        folder = parent / _name(home)
        # A folder that somebody else has put there is none of ours.
        if folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == 0:
            return folder
    return None


def make_elsewhere(home: Path) -> Path | None:
    """Make a folder that stands in for `home`, open for everybody to pass through."""
    for parent in ELSEWHERE:
        folder = parent / _name(home)
        try:
            folder.mkdir(mode=0o711)
        except OSError:
            continue
        folder.chmod(0o711)
        (folder / "belongs-to").write_text(f"{home}\n", encoding="utf-8")
        return folder
    return None


def _name(home: Path) -> str:
    digest = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()
    return f"purelymanage-quickstart-{digest[:12]}"


def open_to_readers(folder: Path) -> None:
    """Let everybody read and run what lies in `folder`, a copy of public programs."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            runnable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runnable else 0o644)
