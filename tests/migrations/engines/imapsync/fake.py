"""A stand-in for imapsync that notes what it was given and behaves as it is told."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What it does is chosen by the first lines of the file `plan` beside it.
_BODY = """
import json, os, signal, sys, time
from pathlib import Path

here = Path(__file__).parent
plan = json.loads((here / "plan").read_text())
options = dict(a[2:].partition("=")[::2] for a in sys.argv[1:] if a.startswith("--"))
passwords = []
for number in "12":
    with open(options["passfile" + number], "rb") as file:
        passwords.append(file.readline().decode().rstrip("\\n"))
pid_file = options["pidfile"]
facts = {
    "argv": sys.argv,
    "environ": dict(os.environ),
    "passwords": passwords,
    "pid": os.getpid(),
    "session": os.getsid(0),
    "tty": os.isatty(0),
    "room": sorted(os.listdir(options["tmpdir"])),
    "mode": oct(os.stat(options["tmpdir"]).st_mode & 0o777),
    "descriptors": sorted(os.listdir("/proc/self/fd")),
}
(here / "facts.tmp").write_text(json.dumps(facts))
(here / "facts.tmp").rename(here / "facts")
for line in plan["lines"]:
    print(line, flush=True)

def note(number, frame):
    with open(here / "signals", "a") as file:
        file.write(f"{signal.Signals(number).name}\\n")
    if plan["ends_by"] == "TERM":
        print("Ended by TERM", flush=True)
        os._exit(6)

signal.signal(signal.SIGTERM, note)
abort = Path(pid_file + "abort" + str(os.getpid()))
until = time.monotonic() + plan["seconds"]
while time.monotonic() < until:
    if plan["chatty"]:
        print("still here " * 20, flush=True)
    if plan["ends_by"] == "abort" and abort.exists():
        print("Ended by file", flush=True)
        sys.exit(7)
    time.sleep(0.02)
(here / "abort").write_text(str(abort.exists()))
sys.exit(plan["status"])
"""


@dataclass
class Fake:
    folder: Path

    def __post_init__(self) -> None:
        # No byte of the environment is needed to find the interpreter.
        text = f"#!{sys.executable} -IS\n{_BODY}"
        (self.folder / "imapsync").write_text(text)
        (self.folder / "imapsync").chmod(0o755)
        self.plan()

    @property
    def program(self) -> str:
        return str(self.folder / "imapsync")

    def plan(
        self,
        *lines: str,
        seconds: float = 0,
        status: int = 0,
        ends_by: str = "",
        chatty: bool = False,
    ) -> None:
        plan = {
            "lines": lines,
            "seconds": seconds,
            "status": status,
            "ends_by": ends_by,
            "chatty": chatty,
        }
        (self.folder / "plan").write_text(json.dumps(plan))

    @property
    def started(self) -> bool:
        return (self.folder / "facts").exists()

    @property
    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self.folder / "facts").read_text())
        return facts

    @property
    def signals(self) -> list[str]:
        file = self.folder / "signals"
        return file.read_text().split() if file.exists() else []
