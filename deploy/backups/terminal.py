from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from deploy.backups.problems import Failed

# Where the person was who called, as the program runs in its own folder.
CALLED_FROM = "CALLED_FROM"


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def path(given: str) -> Path:
    """Return a path that a person has typed."""
    return Path(os.environ.get(CALLED_FROM, ".")) / Path(given).expanduser()


def run(work: Callable[[], None]) -> int:
    """Do it; tell what is in the way in a sentence."""
    try:
        work()
    except Failed as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    except OSError as exc:
        place = f"{exc.filename}: " if exc.filename else ""
        sys.stderr.write(f"{place}{exc.strerror or exc}.\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        return 130
    return 0
