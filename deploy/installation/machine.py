"""What is done to the machine: said first, and in a dry run only said."""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from deploy.installation import places


class Failed(Exception):
    """The installation cannot go on; the text is a sentence with the remedy."""


class Machine:
    def __init__(self, *, dry: bool) -> None:
        self.dry = dry

    def step(self, title: str) -> None:
        self._say(f"\n{title}")

    def note(self, text: str) -> None:
        self._say(f"  {text}")

    def keep(self, text: str) -> None:
        self._say(f"  as it is  {text}")

    def will(self, verb: str, text: str) -> bool:
        """Say what comes now, and return whether to do it."""
        self._say(f"  {verb:<8}  {text}")
        return not self.dry

    def run(
        self,
        *command: str | Path,
        user: str = "",
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Run a program that changes something; its output is shown if it fails."""
        words = _as_user(user, command)
        if not self.will("run", shlex.join(words)):
            return
        try:
            done = subprocess.run(
                words,
                cwd=cwd or "/",
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
            )
        except OSError as exc:
            raise Failed(f"{words[0]} cannot be run: {exc.strerror}.") from exc
        if done.returncode:
            raise Failed(
                f"{done.stdout.rstrip()}\nThis did not work: {shlex.join(words)}"
            )

    def show(self, *command: str | Path, user: str, cwd: Path) -> None:
        """Run a program that looks, and let it be read; what it finds stops nothing."""
        words = _as_user(user, command)
        if self.will("run", shlex.join(words)):
            env = {**os.environ, "ENV_FILE": str(places.ENV)}
            subprocess.run(
                words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, check=False
            )

    def ask(self, *command: str | Path, user: str = "") -> str | None:
        """Return what a program that only looks prints, or None if it fails."""
        words = _as_user(user, command)
        try:
            done = subprocess.run(
                words,
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError:
            return None
        return None if done.returncode else done.stdout.strip()

    def folder(self, path: Path, mode: int, owner: str = "root") -> None:
        if path.is_dir() and path.stat().st_mode & 0o7777 == mode:
            self.keep(f"{path}/")
        elif self.will("make", f"{path}/ ({mode:o}, {owner})"):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(mode)
            self._own(path, owner)

    def write(
        self, path: Path, text: str, mode: int = 0o644, owner: str = "root"
    ) -> bool:
        """Make a file say `text`, at once or not at all; return whether it did not."""
        if _reads(path) == text:
            self.keep(str(path))
            return False
        if self.will("write", f"{path} ({mode:o}, {owner})"):
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, draft = tempfile.mkstemp(
                prefix=f".{path.name}-", dir=path.parent
            )
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                self._own(Path(draft), owner)
                Path(draft).chmod(mode)
                Path(draft).replace(path)
            except BaseException:
                Path(draft).unlink(missing_ok=True)
                raise
        return True

    def link(self, path: Path, target: str | Path) -> bool:
        """Make `path` lead to `target` without a moment in which it leads nowhere."""
        if path.is_symlink() and str(path.readlink()) == str(target):
            self.keep(f"{path} -> {target}")
            return False
        if self.will("link", f"{path} -> {target}"):
            draft = path.with_name(f".{path.name}-new")
            draft.unlink(missing_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.symlink_to(target)
            draft.replace(path)
        return True

    def _own(self, path: Path, owner: str) -> None:
        os.chown(path, pwd.getpwnam(owner).pw_uid, grp.getgrnam(owner).gr_gid)

    def _say(self, text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def _as_user(user: str, command: tuple[str | Path, ...]) -> list[str]:
    words = [str(word) for word in command]
    return ["runuser", "-u", user, "--", *words] if user else words


def _reads(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
