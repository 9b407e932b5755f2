"""How much memory processes take, as far as the system tells."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

KILOBYTE = 1024
PROC = Path("/proc")


def tree() -> dict[int, list[int]]:
    """Return the children of each process that we may see."""
    children: dict[int, list[int]] = defaultdict(list)
    for folder in PROC.iterdir() if PROC.is_dir() else ():
        if folder.name.isdecimal():
            # The name in brackets may itself hold brackets and spaces.
            fields = _read(folder / "stat").rpartition(")")[2].split()
            if len(fields) > 1:
                children[int(fields[1])].append(int(folder.name))
    return children


def family(pid: int, children: dict[int, list[int]]) -> list[int]:
    """Return a process and all that it has started."""
    found = [pid]
    for child in children.get(pid, []):
        found += family(child, children)
    return found


def memory(pids: list[int]) -> int:
    """Return the bytes they take; what several share counts once."""
    return sum(_memory_of(pid) for pid in pids)


def _memory_of(pid: int) -> int:
    for line in _read(PROC / str(pid) / "smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * KILOBYTE
    # Not everybody may read that.
    pages = _read(PROC / str(pid) / "statm").split()[1:2]
    return int(pages[0]) * os.sysconf("SC_PAGE_SIZE") if pages else 0


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:  # it has ended
        return ""
