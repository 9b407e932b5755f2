"""How long the engines take to copy the same mailbox over lines of some length.

    python -m tests.benchmarks.engines --latency 0 40 100 --json var/engines.json

Two Dovecot servers, a line of that latency to each, and the programs in turn: our
engine as `copy_mailbox` and by itself, mbsync, and imapsync (found in IMAPSYNC_BIN or
in the PATH). Each copies everything, and then again when nothing is left to do. Times
are those of whole processes; for our engine the time without its start is told, too.
A narrow line shows what compression is worth, with servers that offer it and without.

Without options it takes about twenty minutes, nearly all of them imapsync's. A small
one: --messages 150 --megabytes 4 --latency 40 --skip memory narrow
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.benchmarks.copying import mail, memory
from tests.benchmarks.copying.programs import ROOT, Cost, Place, Program, programs
from tests.benchmarks.copying.telling import Case, Result, tables, targets
from tests.imap.dovecot import COMPRESSING, Dovecot

SOURCE = "otto"
COMPRESS = "COMPRESS=DEFLATE"
_NUMBERS = itertools.count(1)


def main() -> int:
    wishes = _wishes()
    found = [(it, it.version()) for it in programs() if it.name in wishes.programs]
    for program, version in found:
        _say(f"{program.name}: {version or 'not installed, so not measured'}")
    usable = [program for program, version in found if version is not None]
    stored = mail.mailbox(wishes.messages, int(wishes.megabytes * 1_000_000))
    size = sum(
        len(message.body) for messages in stored.values() for message in messages
    )
    told: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "messages": wishes.messages,
        "bytes": size,
        "folders": len(stored),
        "processors": os.cpu_count(),
        # Much more than there are processors, and the times are those of a crowd.
        "load": os.getloadavg()[0],
        "versions": {program.name: version for program, version in found},
    }
    results: list[Result] = []
    with ExitStack() as stack:
        bench = Bench(wishes, stack)
        bench.old.add_user(SOURCE, "secret of otto")
        bench.old.seed(SOURCE, stored)
        for case in _cases(wishes):
            results += bench.measure(case, usable)
            _say("\n".join(tables(results, case, wishes.messages, size)))
        peaks: dict[str, int] = {}
        if "memory" not in wishes.skip:
            peaks = bench.measure_memory(wishes.many)
            for what, peak in peaks.items():
                _say(f"Memory with {what}: {peak / 1e6:.0f} MB")
    reached = targets(results, peaks, size)
    for target in reached:
        _say(str(target))
    told["results"] = [result.as_dict() for result in results]
    told["memory"] = peaks
    told["targets"] = [target.as_dict() for target in reached]
    wishes.json.parent.mkdir(parents=True, exist_ok=True)
    wishes.json.write_text(json.dumps(told, indent=2) + "\n")
    return 0 if all(target.is_met for target in reached) else 1


class Bench:
    """Both servers, and a folder for what the programs leave behind."""

    def __init__(self, wishes: argparse.Namespace, stack: ExitStack) -> None:
        self._wishes = wishes
        self._stack = stack
        self._folder = Path(tempfile.mkdtemp(prefix="engines-"))
        stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
        extra = COMPRESSING + wishes.dovecot
        self.old = stack.enter_context(Dovecot(extra=extra))
        self.new = stack.enter_context(Dovecot(extra=extra))

    def measure(self, case: Case, usable: list[Program]) -> list[Result]:
        """Run the programs in turn, so that a noisy minute falls on all of them."""
        results = {it.name: Result(case, it.name) for it in usable}
        with _line(case, self.old.port, self.new.port) as (near, far):
            for turn in range(self._wishes.repeat):
                for program in usable:
                    if program.name == "imapsync" and case.megabits:
                        # There the line sets the pace of everybody.
                        continue
                    if program.name == "imapsync" and turn >= self._wishes.slow_repeat:
                        continue
                    self._measure(results[program.name], program, near, far)
        return list(results.values())

    def measure_memory(self, many: int) -> dict[str, int]:
        return memory.measure(self.old, self.new, self._folder, many=many)

    def _measure(self, result: Result, program: Program, near: int, far: int) -> None:
        user = f"user{next(_NUMBERS)}"
        self.new.add_user(user, f"secret of {user}")
        source = Place(near, SOURCE, self.old.users[SOURCE])
        destination = Place(far, user, self.new.users[user])
        for costs in (result.first, result.second):
            cost = program.copy(source, destination, self._folder)
            arrived = count(self.new, user)
            if cost.code or arrived != self._wishes.messages:
                _say(cost.words[-2_000:])
                raise SystemExit(
                    f"{program.name} ended with {cost.code}, {arrived} messages arrived"
                )
            costs.append(cost)
            _say(f"  {result.case.name}, {program.name}: {_brief(cost)}")
        shutil.rmtree(self.new.maildir(user), ignore_errors=True)


@contextmanager
def _line(case: Case, *ports: int) -> Iterator[list[int]]:
    command = [sys.executable, "-m", "tests.benchmarks.copying.line"]
    command += ["--delay", str(case.latency / 2_000)]
    command += ["--rate", str(case.megabits * 1_000_000 / 8)]
    # Where the line is wide, packing would only slow down those who do it unasked.
    hidden = {*case.without, *(() if case.megabits else (COMPRESS,))}
    command += [f"--without={word}" for word in sorted(hidden)]
    line = subprocess.Popen(
        [*command, *map(str, ports)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert line.stdin is not None
    assert line.stdout is not None
    try:
        yield json.loads(line.stdout.readline())
    finally:
        line.stdin.close()
        try:
            line.wait(5)
        except subprocess.TimeoutExpired:
            line.kill()
            line.wait()


def count(server: Dovecot, user: str) -> int:
    """Return how many messages lie in all folders of a user."""
    kept = server.maildir(user)
    return sum(1 for place in ("cur", "new") for _ in kept.rglob(f"{place}/*"))


def _cases(wishes: argparse.Namespace) -> list[Case]:
    cases = [Case(latency) for latency in wishes.latency]
    if "literal" not in wishes.skip:
        cases += [Case(it, ("LITERAL+",)) for it in wishes.without_literal_plus]
    if "narrow" not in wishes.skip:
        cases += [Case(40, without, wishes.narrow) for without in ((), (COMPRESS,))]
    return cases


def _wishes() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    names = [program.name for program in programs()]
    add("--programs", nargs="+", choices=names, default=names)
    add("--latency", nargs="*", type=float, default=[0, 40, 100], metavar="MS")
    add("--without-literal-plus", nargs="*", type=float, default=[40], metavar="MS")
    add("--skip", nargs="+", choices=["literal", "memory", "narrow"], default=[])
    add("--narrow", type=float, default=10, metavar="MBIT", help="of a narrow line")
    add("--messages", type=int, default=1_500)
    add("--megabytes", type=float, default=44)
    add("--many", type=int, default=200_000, help="messages in one folder, for memory")
    add("--repeat", type=int, default=3)
    add("--slow-repeat", type=int, default=1, help="the same for imapsync")
    add("--dovecot", default="", help="lines for the configuration of both servers")
    add("--json", type=Path, default=ROOT / "var" / "benchmarks" / "engines.json")
    return parser.parse_args()


def _brief(cost: Cost) -> str:
    alone = "" if cost.copying is None else f" ({cost.copying:.2f} s without its start)"
    return (
        f"{cost.seconds:.2f} s{alone}, {cost.cpu:.2f} s of CPU, "
        f"{cost.memory / 1e6:.0f} MB"
    )


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
