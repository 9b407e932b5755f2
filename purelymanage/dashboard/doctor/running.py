"""Looks at everything at the same time, and waits for nothing longer than its limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from django.db import DatabaseError, connection

from purelymanage.dashboard.doctor.results import Check, Result, attention, broken

NO_DATABASE = "It could not be looked at, as the database does not answer."


def run(checks: Sequence[Check]) -> list[Result]:
    """Return what all checks have found, in their order."""
    found: list[list[Result] | None] = [None] * len(checks)

    def look(number: int) -> None:
        try:
            found[number] = _look(checks[number])
        finally:
            connection.close()

    # One that hangs is left behind: it ends with the process.
    threads = [
        threading.Thread(target=look, args=[number], daemon=True)
        for number in range(len(checks))
    ]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    results = []
    for check, thread, number in zip(checks, threads, range(len(checks)), strict=True):
        thread.join(max(0.0, began + check.seconds - time.monotonic()))
        results += found[number] or [_late(check)]
    return results


def _look(check: Check) -> list[Result]:
    try:
        return list(check.look())
    except DatabaseError:
        # That it does not answer is told once.
        step = "See what is said of the database."
        return [attention(check.subject, NO_DATABASE, step)]
    except Exception as exc:
        # Only the kind: its text may hold what it was about.
        return [
            broken(
                check.subject,
                f"The look at it failed ({type(exc).__name__}).",
                "This is a mistake of the panel; please report it.",
            )
        ]


def _late(check: Check) -> Result:
    return broken(
        check.subject,
        f"There was no answer within {check.seconds:g} seconds.",
        "See whether the other side runs, and whether a firewall is between.",
    )
