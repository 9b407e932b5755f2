"""Start a program for somebody else and tell what it took.

Without this step in between a child would be billed for the memory of whoever
measures, as Linux keeps the highest figure beyond the start of another program.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress


def main() -> None:
    wish = json.load(sys.stdin)
    with open(wish["said"], "wb") as said:  # noqa: PTH123 - small on purpose
        began = time.monotonic()
        child = subprocess.Popen(
            wish["command"],
            env={**os.environ, **wish["environment"]},
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=subprocess.STDOUT,
            # So that its children can be ended with it.
            process_group=0,
        )

        def end() -> None:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)

        timer = threading.Timer(wish["patience"], end)
        timer.daemon = True
        timer.start()
        try:
            assert child.stdin is not None
            with suppress(BrokenPipeError):
                child.stdin.write(wish["words"].encode())
            child.stdin.close()
            _, status, used = os.wait4(child.pid, 0)
        except BaseException:
            end()
            raise
        seconds = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    told = {
        "seconds": seconds,
        "cpu": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss * 1024,
        "code": child.returncode,
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
