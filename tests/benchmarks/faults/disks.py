"""Disks that are full: small file systems in memory, filled to the last byte."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
import requests

from tests.benchmarks.faults.table import Row
from tests.faults.processes import wait_until
from tests.faults.scene import OWN_DOMAIN, Scene, Seen

MEGABYTES = {"postgres": 400, "log": 20}


def prepare(folder: Path, stack: ExitStack) -> None:
    """Give the database and the logs of a panel in `folder` small disks of their own."""
    for name, size in MEGABYTES.items():
        place = folder / "var" / name
        place.mkdir(parents=True)
        place.parent.chmod(0o711)
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}m,mode=711", "none", place],  # noqa: S607
            check=True,
        )
        stack.callback(_unmount, place)


def _unmount(place: Path) -> None:
    subprocess.run(["umount", place], check=True)  # noqa: S607


@contextmanager
def full(folder: Path) -> Iterator[None]:
    filler = folder / "filler"
    try:
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(b"x" * 65536) == 65536:
                pass
            while file.write(b"x"):
                pass
        yield
    finally:
        filler.unlink()


def database(scene: Scene) -> Row:
    folder = scene.panel.folder / "var" / "postgres"
    with full(folder):
        # What was set aside before is used first.
        with suppress(psycopg.errors.DiskFull):
            scene.query("CREATE TABLE IF NOT EXISTS filler (text text)")
            while True:
                many = "SELECT md5(n::text) FROM generate_series(1, 1000) n"
                scene.query(f"INSERT INTO filler {many}")
        lost, said = _until_refused(scene)
        heading = Seen(said.status_code, said.text, 0).heading
        for path in ("/", "/mailboxes/", "/domains/", "/audit/"):
            assert scene.look(path).status == 200, path
        health = scene.health()
        finding = scene.look("/settings/health/").findings
    seconds = scene.until_well()
    scene.query("DROP TABLE IF EXISTS filler")
    scene.read_account(after_crash=True)
    if f"{lost}@{OWN_DOMAIN}" not in scene.remote_mailboxes():
        scene.send_mailbox(lost)
    for local in {lost, *_made(scene)}:
        scene.prove_mailbox(local)
    scene.prove_audit()
    assert health["status"] == 503, health
    assert health["problems"][0] in finding, finding
    return Row(
        "Disk of the database full",
        f"reading works; a change: 503 “{heading}”; "
        f"“{health['problems'][0]}” on the health page, `/healthz` 503",
        seconds,
        "nothing; what PurelyMail had done already was found by the next sync",
    )


def logs(scene: Scene) -> Row:
    local = scene.new_address()
    with full(scene.panel.folder / "var" / "log"):
        # Something is written to the log each minute, and with each mistake.
        for _ in range(3):
            scene.look("/nowhere/")
        assert scene.send_mailbox(local).status_code == 201
        wanted = "cannot be written: No space left on device."
        wait_until(lambda: bool(_says(scene, wanted)))
        finding = _says(scene, wanted)[0]
        assert scene.health()["status"] == 200
    before = _size(scene)
    began = time.monotonic()
    scene.look("/nowhere/")
    wait_until(lambda: _size(scene) > before)
    scene.prove_mailbox(local)
    scene.prove_audit()
    return Row(
        "Disk of the logs full",
        f"everything works; “{finding}” on the health page",
        time.monotonic() - began,
        "nothing but log lines",
    )


def _until_refused(scene: Scene) -> tuple[str, requests.Response]:
    """Create mailboxes until one cannot be written down, and return that one."""
    for _ in range(60):
        local = scene.new_address()
        said = scene.send_mailbox(local)
        if said.status_code == 503:
            return local, said
    raise AssertionError("There is room still.")


def _made(scene: Scene) -> list[str]:
    found = [it for it in scene.remote_mailboxes() if it.startswith("fault")]
    return [it.partition("@")[0] for it in found]


def _says(scene: Scene, words: str) -> list[str]:
    return [it for it in scene.look("/settings/health/").findings if words in it]


def _size(scene: Scene) -> int:
    return (scene.panel.folder / "var" / "log" / "web.log").stat().st_size
