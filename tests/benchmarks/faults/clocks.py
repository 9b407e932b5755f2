"""The clock of the panel's machine wrong by more than a day, and set right again."""

from __future__ import annotations

import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from purelymanage.environment import BASE_DIR
from tests.benchmarks.faults.table import Row
from tests.faults.processes import descendants, read, send, wait_until
from tests.faults.scene import OWN_DOMAIN, Scene

MOVING = BASE_DIR / "tests" / "faults" / "moved_clock"
HOURS_AHEAD = 26


def jumped(scene: Scene) -> Row:
    """Let the clock of web and workers jump; the database keeps its own."""
    local = scene.new_address()
    scene.send_mailbox(local)
    address = f"{local}@{OWN_DOMAIN}"
    scene.request_deletion(address)
    waiting = "SELECT state FROM deletions_pendingdeletion WHERE key = %s"
    assert scene.query(waiting, address) == [("waiting",)]
    with _processes_by_another_clock(scene) as set_clock:
        scene.until_well()
        set_clock(HOURS_AHEAD * 3600)
        off = "The clock of this machine is not that of the database."
        wait_until(lambda: off in scene.health()["warnings"])
        # Two turns of what comes each minute.
        begun = _done(scene, "deletions")
        wait_until(lambda: _done(scene, "deletions") >= begun + 2)
        storm = _done(scene, "deletions") - begun
        assert scene.query(waiting, address) == [("waiting",)]
        assert address in scene.remote_mailboxes()
        scene.sign_in_again()
        finding = scene.look("/settings/health/").findings
        set_clock(0)
        begun = _done(scene, "deletions")
        seconds = wait_until(lambda: _done(scene, "deletions") > begun)
        wait_until(lambda: scene.health()["warnings"] == [])
    scene.until_ready()
    scene.sign_in_again()
    assert storm <= 3, storm
    assert off in finding, finding
    assert scene.query(waiting, address) == [("waiting",)]
    scene.read_account()
    scene.prove_mailbox(local)
    scene.prove_audit()
    return Row(
        f"Clock of the machine jumped ahead by {HOURS_AHEAD} hours, and back",
        f"“{off}” on the health page; whoever sat idle signs in again; what is done "
        "each minute goes on, no deletion ran early",
        seconds,
    )


def _done(scene: Scene, name: str) -> int:
    """Return how often something scheduled was begun, whatever the clock says."""
    log = (scene.panel.folder / "var" / "log" / "worker.log").read_text("utf-8")
    return log.count(f"from schedule [{name}]")


@contextmanager
def _processes_by_another_clock(scene: Scene) -> Iterator[Callable[[int], None]]:
    """Start web and workers anew with a clock that can be set."""
    own = scene.processes
    with tempfile.NamedTemporaryFile("w", suffix="-clock") as file:
        clock = Path(file.name)
        clock.chmod(0o644)

        def set_clock(ahead: int) -> None:
            clock.write_text(str(ahead), encoding="ascii")

        set_clock(0)
        started = []
        with own.nobody_restarts():
            for name in ("web", "worker", "migrations"):
                pid = getattr(own, name)
                command = read(pid, "cmdline").rstrip("\0").split("\0")
                pairs = read(pid, "environ").rstrip("\0").split("\0")
                env = dict(pair.split("=", 1) for pair in pairs)
                for each in (pid, *descendants(pid)):
                    send(each, signal.SIGKILL)
                env |= {"PYTHONPATH": str(MOVING), "MOVED_CLOCK": file.name}
                log = scene.panel.folder / "var" / "log" / f"{name}.log"
                with log.open("ab") as out:
                    started.append(
                        subprocess.Popen(
                            command,
                            env=env,
                            cwd=scene.panel.folder,
                            stdin=subprocess.DEVNULL,
                            stdout=out,
                            stderr=subprocess.STDOUT,
                            start_new_session=True,
                        )
                    )
            try:
                yield set_clock
            finally:
                for process in started:
                    for each in (process.pid, *descendants(process.pid)):
                        send(each, signal.SIGKILL)
                    process.wait()
