"""A thousand small copies over lines that cut, stall, split and reorder.

    python -m tests.benchmarks.chaos --copies 1000 --seed 1

Both sides are real Dovecots. Each copy has to end equal: nothing lost, nothing twice,
flags and dates as they were. A seed that fails does so again, with --copies 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed

from purelymanage.migrations.engines.pipeline import run
from tests.imap.dovecot import Dovecot
from tests.migrations.engines.bad_day import Report, copy_on_a_bad_day, fill


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1, help="of the first copy")
    parser.add_argument("--at-once", type=int, default=8)
    options = parser.parse_args()
    # Behind these lines nobody is at work for long.
    run.UNHEARD_PAUSE = run.SILENT_PAUSE = 1.0
    began = time.monotonic()
    reports: list[Report] = []
    with (
        Dovecot() as old,
        Dovecot(layout="maildir++", separator=".", prefix="INBOX.") as new,
        ThreadPoolExecutor(options.at_once) as pool,
    ):
        old.add_user("otto", "secret of otto")
        fill(old, "otto")
        waiting = []
        for seed in range(options.seed, options.seed + options.copies):
            new.add_user(f"user{seed}", f"secret of user{seed}")
            waiting.append(
                pool.submit(
                    copy_on_a_bad_day, old, "otto", new, f"user{seed}", seed=seed
                )
            )
        for done in as_completed(waiting):
            report = done.result()
            reports.append(report)
            if not report.is_equal:
                say(
                    f"seed {report.seed}: {report.outcome.verdict.value}, "
                    f"{report.lost} lost, {report.doubled} doubled, "
                    f"{report.outcome.as_dict()['failure']}"
                )
            if len(reports) % 50 == 0:
                say(f"{len(reports)} copies, {time.monotonic() - began:.0f} s")
    met = sum((report.met for report in reports), Counter[str]())
    equal = sum(report.is_equal for report in reports)
    say(
        f"{equal} of {len(reports)} copies ended equal; "
        f"{sum(report.lost for report in reports)} messages lost, "
        f"{sum(report.doubled for report in reports)} doubled\n"
        f"{sum(report.connections for report in reports)} connections, "
        f"{sum(report.runs for report in reports)} runs, "
        + ", ".join(f"{count} {name}" for name, count in sorted(met.items()))
        + f", {time.monotonic() - began:.0f} s"
    )
    return 0 if equal == len(reports) else 1


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
