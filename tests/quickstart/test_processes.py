from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from purelymanage.environment import BASE_DIR

# A child that does not listen, with a grandchild in a session of its own.
STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
print(os.getpid(), flush=True)
time.sleep(60)
"""
SUPERVISE = """
import signal, sys
from pathlib import Path
from purelymanage.quickstart import processes
from purelymanage.quickstart.children import Child

processes.STOP_TIMEOUT = 0.5
processes.LOOK_EVERY = processes.PAUSE = 0.05
log = Path(sys.argv[1])
# As started from a terminal, even where the tests run under nohup.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
child = Child("child", [sys.executable, "-uc", sys.argv[2]], log=log, env={}, cwd=log.parent)
try:
    with processes.Supervisor() as supervisor:
        supervisor.start(child)
        supervisor.watch()
except processes.StopRequested:
    print("stopped")
except processes.KeepsFalling as exc:
    print(exc)
"""


def supervise(log: Path, child: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SUPERVISE, str(log), child],
        cwd=BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for(found: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def lines(log: Path) -> list[str]:
    return log.read_text().split() if log.exists() else []


def runs(pid: str) -> bool:
    """Tell whether a process runs; a dead one that nobody buried does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_nothing_outlives_a_stop(tmp_path: Path, number: signal.Signals) -> None:
    log = tmp_path / "log"
    supervisor = supervise(log, STUBBORN)
    wait_for(lambda: len(lines(log)) == 2)
    supervisor.send_signal(number)
    output, _ = supervisor.communicate(timeout=5)
    assert output == "stopped\n"
    assert not any(runs(pid) for pid in lines(log))


def test_children_end_with_a_killed_supervisor(tmp_path: Path) -> None:
    log = tmp_path / "log"
    supervisor = supervise(log, "import os, time; print(os.getpid()); time.sleep(60)")
    wait_for(lambda: len(lines(log)) == 1)
    supervisor.kill()
    supervisor.communicate(timeout=5)
    wait_for(lambda: not runs(lines(log)[0]))


def test_a_fallen_child_is_started_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    supervisor = supervise(log, "import os, time; print(os.getpid()); time.sleep(60)")
    wait_for(lambda: len(lines(log)) == 1)
    os.kill(int(lines(log)[0]), signal.SIGKILL)
    wait_for(lambda: len(lines(log)) == 2)
    supervisor.terminate()
    supervisor.communicate(timeout=5)
    assert not any(runs(pid) for pid in lines(log))


@pytest.mark.slow
def test_a_child_that_keeps_falling_is_given_up(tmp_path: Path) -> None:
    log = tmp_path / "log"
    output, _ = supervise(log, "print('fell')").communicate(timeout=30)
    assert output == f"The process child does not stay up; {log} says why.\n"
    assert lines(log) == ["fell"] * 5
