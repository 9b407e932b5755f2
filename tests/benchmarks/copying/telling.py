"""What was measured, as a table and against the targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from .programs import Cost


@dataclass(frozen=True, slots=True)
class Case:
    """Milliseconds of a round trip to each server, and what the servers hide."""

    latency: float
    without: tuple[str, ...] = ()
    # How many bits pass in a second, in millions; 0 is without a limit.
    megabits: float = 0

    @property
    def name(self) -> str:
        narrow = f", {self.megabits:g} Mbit/s" if self.megabits else ""
        hidden = "".join(f", no {word}" for word in self.without)
        return f"{self.latency:g} ms{narrow}{hidden}"


@dataclass(slots=True)
class Result:
    """One program in one case: its first copies, and its runs with nothing to do."""

    case: Case
    program: str
    first: list[Cost] = field(default_factory=list)
    second: list[Cost] = field(default_factory=list)

    def seconds(self, *, second: bool = False) -> float:
        return median(cost.seconds for cost in (self.second if second else self.first))

    def alone(self, *, second: bool = False) -> float | None:
        """Return the time without the start of the process, where it is known."""
        known = [it.copying for it in (self.second if second else self.first)]
        times = [seconds for seconds in known if seconds is not None]
        return median(times) if times else None

    @property
    def cpu(self) -> float:
        return median(cost.cpu for cost in self.first)

    @property
    def memory(self) -> int:
        return max(cost.memory for cost in [*self.first, *self.second])

    def as_dict(self) -> dict[str, Any]:
        def plain(cost: Cost) -> dict[str, Any]:
            return {k: v for k, v in asdict(cost).items() if k not in {"words", "code"}}

        return {
            "case": self.case.name,
            "program": self.program,
            "first": [plain(cost) for cost in self.first],
            "second": [plain(cost) for cost in self.second],
        }


@dataclass(frozen=True, slots=True)
class Target:
    what: str
    is_met: bool
    measured: str

    def __str__(self) -> str:
        return f"{'met' if self.is_met else 'MISSED':7} {self.what}: {self.measured}"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def tables(
    results: list[Result], case: Case, messages: int, size: int
) -> Iterator[str]:
    """Give the lines of one table, in Markdown."""
    yield ""
    yield (
        f"Round trip {case.name}: {messages:,} messages, {size / 1e6:.0f} MB; "
        "medians, whole processes (without their start in brackets)"
    )
    heads = ["program", "first copy", "messages/s", "nothing to do", "CPU per GB"]
    heads += ["memory", "than imapsync", "than mbsync"]
    yield "| " + " | ".join(heads) + " |"
    yield "|---|" + "---:|" * (len(heads) - 1)
    mine = [result for result in results if result.case == case and result.first]
    for result in mine:
        cells = [
            result.program,
            _time(result.seconds(), result.alone()),
            f"{messages / result.seconds():,.0f}",
            _time(result.seconds(second=True), result.alone(second=True)),
            f"{result.cpu / size * 1e9:.0f} s",
            f"{result.memory / 1e6:.0f} MB",
            _times(find(mine, case, "imapsync"), result),
            _times(find(mine, case, "mbsync"), result),
        ]
        yield "| " + " | ".join(cells) + " |"


def targets(results: list[Result], peaks: dict[str, int], size: int) -> list[Target]:
    """Judge what was measured; what was not is no target of this run."""
    found = []
    for case, other, least in (
        (Case(0), "imapsync", 2),
        (Case(40), "imapsync", 60),
        (Case(40), "mbsync", 3),
        (Case(100), "imapsync", 100),
        (Case(40, ("LITERAL+",)), "imapsync", 20),
    ):
        ours, theirs = find(results, case, "pipeline"), find(results, case, other)
        if ours and theirs:
            ratio = theirs.seconds() / ours.seconds()
            what = (
                f"first copy at {case.name}, at least {least} times as fast as {other}"
            )
            found.append(Target(what, ratio >= least, f"{ratio:.1f} times"))
    ours, theirs = (
        find(results, Case(40), "pipeline"),
        find(results, Case(40), "mbsync"),
    )
    if ours and theirs:
        times = ours.seconds(second=True), theirs.seconds(second=True)
        words = f"{times[0]:.2f} s and {times[1]:.2f} s"
        what = "second run at 40 ms, at most the time of mbsync"
        found.append(Target(what, times[0] <= times[1], words))
    ours, theirs = (
        find(results, Case(0), "pipeline"),
        find(results, Case(0), "imapsync"),
    )
    if ours and theirs:
        words = f"{ours.cpu / size * 1e9:.0f} s and {theirs.cpu / size * 1e9:.0f} s"
        what = "CPU per GB, at most that of imapsync"
        found.append(Target(what, ours.cpu <= theirs.cpu, words))
    for what, peak in peaks.items():
        words = f"{peak / 1e6:.0f} MB"
        found.append(Target(f"under 100 MB with {what}", peak < 100_000_000, words))
    return found


def find(results: list[Result], case: Case, program: str) -> Result | None:
    for result in results:
        if result.case == case and result.program == program and result.first:
            return result
    return None


def _time(seconds: float, alone: float | None) -> str:
    return f"{seconds:.2f} s" + ("" if alone is None else f" ({alone:.2f} s)")


def _times(other: Result | None, result: Result) -> str:
    if other is None or other is result:
        return ""
    return f"{other.seconds() / result.seconds():.1f} times as fast"
