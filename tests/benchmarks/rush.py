"""How a panel fares while 300 people hand over passwords: python -m tests.benchmarks.rush

They all send the form at the same moment, to a Dovecot that takes a second for each
sign-in. Starts a panel and both servers of its own, and ends by itself.

Everything shares this machine: the panel with its database and its workers, which try
meanwhile what was left to them; the mail server, whose second is spent asleep; and who
measures. The crowd is a process of its own that gives way to all others, and so is, at
usual priority, who looks at the pages, one after the other with a short rest, from when
the first form is sent until the last is answered. Their times hold what that client
itself needs. It knows each page already, and so does each process that draws it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.migrations.campaigns import rush
from tests.panel import running_panel

PEOPLE, PARALLEL = 300, 6
LONGEST_ANSWER = 15.0


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="rush-") as folder,
        running_panel(Path(folder)) as panel,
    ):
        told = rush.measure(panel, people=PEOPLE, parallel=PARALLEL)
    pages = sorted(told.pages)
    lines = {
        "answers": ", ".join(f"{n} times {it}" for it, n in told.in_short.items()),
        "turned away": f"{len(told.turned_away)} (0)",
        "longest answer": f"{told.longest:.1f} s (below {LONGEST_ANSWER:g} s)",
        "passwords that ended right": f"{told.stored.get('right', 0)} of {PEOPLE}",
        "sign-ins at the same time": f"{told.at_once} (limit {PARALLEL})",
        "other pages": f"{len(pages)}, median {_share(pages, 0.5)}, 95 % within "
        f"{_share(pages, 0.95)} (300 ms), longest {_share(pages, 1)}",
    }
    for name, words in lines.items():
        print(f"{name:<28}{words}")  # noqa: T201


def _share(seconds: list[float], share: float) -> str:
    return f"{seconds[int(share * (len(seconds) - 1))] * 1000:.0f} ms"


if __name__ == "__main__":
    main()
