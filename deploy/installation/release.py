"""The program itself: each release in a folder of its own, which never changes."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from deploy.installation import places
from deploy.installation.machine import Failed, Machine
from deploy.installation.preflight import System

# What belongs to an installation; tests do not.
CONTENT = (
    *("LICENSE", "README.md", "manage.py", "pyproject.toml"),
    *("deploy", "purelymanage", "static", "templates"),
)
# Secrets of containers that run from the same tree.
LEFT_OUT = "deploy/docker/secrets"
LOCK = "deploy/requirements.lock"
# Besides the one in use, so that one can go back.
KEPT = 2
# Says that a folder was finished.
COMPLETE = ".complete"


def name_of(source: Path = places.SOURCE) -> str:
    """Return the version with a digest of every file, so each tree has its own name."""
    digest = hashlib.sha256()
    for path in _files(source):
        digest.update(f"{path.relative_to(source)}\0{path.stat().st_mode:o}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    pyproject = (source / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "([\w.]+)"', pyproject, re.MULTILINE)
    return f"{version[1] if version else '0'}-{digest.hexdigest()[:10]}"


def place(machine: Machine, system: System) -> Path:
    """Copy the tree and give it its Python; return the folder."""
    machine.step("Program")
    release = places.RELEASES / name_of()
    for folder in (places.HOME, places.RELEASES, places.VENVS):
        machine.folder(folder, 0o755)
    venv = _make_venv(machine, system)
    if (release / COMPLETE).exists():
        machine.keep(f"{release}/")
        return release
    if machine.will("copy", f"{places.SOURCE} to {release}/"):
        shutil.rmtree(release, ignore_errors=True)
        for path in _files(places.SOURCE):
            target = release / path.relative_to(places.SOURCE)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            target.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        for folder in (release, *(it for it in release.rglob("*") if it.is_dir())):
            folder.chmod(0o755)
    machine.link(release / ".venv", venv)
    machine.run(venv / "bin/python", "-m", "compileall", "-q", release / "purelymanage")
    return release


def finish(machine: Machine, release: Path) -> None:
    """Take note that nothing is missing from a release."""
    if not (release / COMPLETE).exists():
        machine.write(release / COMPLETE, "")


def switch(machine: Machine, release: Path) -> None:
    """Make a release the one in use, and keep in mind which it was before."""
    machine.step("Release in use")
    before = _target(places.CURRENT)
    if before is not None and before != release:
        machine.link(places.PREVIOUS, before)
    machine.link(places.CURRENT, release)


def switch_back(machine: Machine) -> Path:
    before = _target(places.PREVIOUS)
    if before is None or not (before / COMPLETE).exists():
        raise Failed("There is no release to go back to.")
    switch(machine, before)
    return before


def remove_old(machine: Machine) -> None:
    """Remove releases that nobody will go back to, and environments without one."""
    in_use = {_target(places.CURRENT), _target(places.PREVIOUS)}
    if machine.dry or not places.RELEASES.exists():
        return
    others = sorted(
        (it for it in places.RELEASES.iterdir() if it not in in_use),
        key=lambda it: it.stat().st_mtime,
        reverse=True,
    )
    for release in others[KEPT - 1 :]:
        if machine.will("remove", f"{release}/"):
            shutil.rmtree(release)
    used = {(it / ".venv").resolve() for it in places.RELEASES.iterdir()}
    for venv in places.VENVS.iterdir():
        if venv.resolve() not in used and machine.will("remove", f"{venv}/"):
            shutil.rmtree(venv)


def venv_for(system: str) -> Path:
    """Return where the packages of this tree lie: those of a newer system differ."""
    lock = (places.SOURCE / LOCK).read_bytes()
    return places.VENVS / hashlib.sha256(f"{system}\n".encode() + lock).hexdigest()[:10]


def _make_venv(machine: Machine, system: System) -> Path:
    """Make an environment with exactly what the lock names, hash by hash."""
    lock = places.SOURCE / LOCK
    venv = venv_for(system.name)
    if (venv / COMPLETE).exists():
        machine.keep(f"{venv}/")
        return venv
    if not machine.dry:
        shutil.rmtree(venv, ignore_errors=True)
    machine.run(system.python, "-m", "venv", venv)
    machine.run(
        *(venv / "bin/python", "-m", "pip", "install", "--quiet", "--no-input"),
        *("--disable-pip-version-check", "--no-cache-dir", "--only-binary=:all:"),
        *("--require-hashes", "--requirement", lock),
    )
    machine.write(venv / COMPLETE, "")
    return venv


def _files(source: Path) -> Iterator[Path]:
    for name in CONTENT:
        top = source / name
        found = sorted(top.rglob("*")) if top.is_dir() else [top]
        yield from (
            it
            for it in found
            if it.is_file()
            and "__pycache__" not in it.parts
            and source / LEFT_OUT not in it.parents
        )


def _target(link: Path) -> Path | None:
    return link.readlink() if link.is_symlink() else None
