"""Copy once with our engine and nothing around it; the places come as JSON."""

from __future__ import annotations

import json
import sys

from purelymanage.imap.account import Account, Security
from purelymanage.migrations.engines import get_engine
from purelymanage.migrations.engines.base import CopyOptions, Progress, Verdict


def ignore(progress: Progress) -> None:
    """Take a report and do nothing with it."""


def main() -> int:
    source, destination = (
        Account(
            host="127.0.0.1",
            port=port,
            user=user,
            password=password,
            security=Security.CLEAR,
        )
        for port, user, password in json.load(sys.stdin)
    )
    options = CopyOptions(dry_run=False)
    outcome = get_engine("pipeline").copy(source, destination, options, ignore)
    print(json.dumps(outcome.as_dict()))  # noqa: T201
    return 0 if outcome.verdict == Verdict.COMPLETE else 1


if __name__ == "__main__":
    sys.exit(main())
