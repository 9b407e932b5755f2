from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

from deploy.backups.problems import Failed, reason

# Where the person was who called, as the program runs in its own folder.
CALLED_FROM = "CALLED_FROM"


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def path(given: str) -> Path:
    """Return a path that a person has typed."""
    return Path(os.environ.get(CALLED_FROM, ".")) / Path(given).expanduser()


def parser(name: str, description: str, more: str) -> argparse.ArgumentParser:
    """Return one that knows what both programs are told."""
    parser = argparse.ArgumentParser(
        prog=f"deploy/{name}",
        description=description,
        epilog=more,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--passphrase-file",
        metavar="FILE",
        type=path,
        help="a file of mode 0600 with the passphrase; without it, it is asked for",
    )
    parser.add_argument(
        "--env-file",
        metavar="FILE",
        type=path,
        help="the settings of the panel (ENV_FILE, var/env or /etc/purelymanage/env); "
        "what the environment sets goes before them",
    )
    return parser


def become(main: Callable[[list[str]], int]) -> NoReturn:
    """Run a whole program, which ends in order when it is told to."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    sys.exit(main(sys.argv[1:]))


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def run(work: Callable[[], None]) -> int:
    """Do it; tell what is in the way in a sentence."""
    try:
        work()
    except Failed as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    except OSError as exc:
        place = f"{exc.filename}: " if exc.filename else ""
        sys.stderr.write(f"{place}{reason(exc)}.\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        return 130
    return 0
