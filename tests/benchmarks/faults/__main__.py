"""Break what a panel stands on, and print what people saw and how long it took.

    python -m tests.benchmarks.faults [--only NAME …] [--markdown]

It starts a whole quickstart of its own. Each fault is real: processes are stopped,
frozen and killed, disks are full, servers do not answer. It ends with 0 only if after
each of them everything was well again and nothing was lost or doubled.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks.faults import clocks, database, disks, outside, workers
from tests.benchmarks.faults.table import Row, as_markdown, as_text
from tests.faults.scene import Scene
from tests.panel import running_panel

FAULTS: dict[str, Callable[[Scene], Row]] = {
    "postgres-stopped": database.stopped,
    "postgres-frozen": database.frozen,
    "postgres-restarted": database.restarted,
    "worker-killed": workers.worker,
    "copies-killed": workers.migrations,
    "web-killed": workers.web,
    "purelymail-down": outside.purelymail,
    "smtp-down": outside.smtp,
    "dns-down": outside.dns,
    "logs-full": disks.logs,
    "database-full": disks.database,
    "clock-jumped": clocks.jumped,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=FAULTS, default=list(FAULTS))
    parser.add_argument("--markdown", action="store_true")
    wishes = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory("-faults")))
        # Root's PostgreSQL works as another user, who has to pass through.
        folder.chmod(0o711)
        wanted = [name for name in wishes.only if _is_possible(name)]
        if any(name.endswith("-full") for name in wanted):
            disks.prepare(folder, stack)
        # Nobody listens there, until somebody does.
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        os.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
        panel = stack.enter_context(running_panel(folder))
        rows = [_break(name, Scene(panel)) for name in wanted]
    _say(as_markdown(rows) if wishes.markdown else as_text(rows))
    return 1 if any(row.failed for row in rows) else 0


def _is_possible(name: str) -> bool:
    """Tell what this machine lets nobody try: small disks need root, for one."""
    if name.endswith("-full") and os.geteuid():
        sys.stderr.write(f"{name}: not tried, only root mounts small disks\n")
        return False
    return True


def _break(name: str, scene: Scene) -> Row:
    began = time.monotonic()
    try:
        scene.until_ready()
        with scene:
            row = FAULTS[name](scene)
    except Exception as exc:  # the others are tried all the same
        sys.stderr.write(traceback.format_exc())
        row = Row(name, "", None, f"FAILED: {exc!r}"[:300], failed=True)
    sys.stderr.write(f"{name}: {time.monotonic() - began:.0f} s\n")
    return row


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
