"""Run a program with the system calls alone that a unit of ours leaves it.

python -m tests.deploy.confined UNIT PROGRAM…
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import subprocess
import sys

from purelymanage.environment import BASE_DIR
from tests.requirements import require_program

UNITS = BASE_DIR / "deploy" / "systemd"
FILTER = re.compile(r"^SystemCallFilter=(~?)(.+)$", re.MULTILINE)
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM


def calls_of(unit: str) -> set[str]:
    """Return the names of the calls that systemd lets the processes of a unit make."""
    sets = _sets()
    common = sorted(UNITS.glob("purelymanage-.service.d/*.conf"))
    own = sorted(UNITS.glob(f"{unit}.service.d/*.conf"))
    files = sorted([*common, *own], key=lambda it: it.name)
    allowed = _members("@default", sets)
    for path in files:
        for refused, names in FILTER.findall(path.read_text()):
            for name in names.split():
                if refused:
                    allowed -= _members(name, sets)
                else:
                    allowed |= _members(name, sets)
    return allowed


def _sets() -> dict[str, list[str]]:
    printed = subprocess.run(
        [require_program("systemd-analyze"), "syscall-filter", "--no-pager"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"LC_ALL": "C.UTF-8"},
    )
    sets: dict[str, list[str]] = {}
    for line in printed.stdout.splitlines():
        if line.startswith("@"):
            members = sets.setdefault(line.strip(), [])
        elif line.startswith("    ") and not line.strip().startswith("#"):
            members.append(line.strip())
    return sets


def _members(name: str, sets: dict[str, list[str]]) -> set[str]:
    if not name.startswith("@"):
        return {name}
    return set[str]().union(*(_members(it, sets) for it in sets[name]))


def confine(allowed: set[str]) -> None:
    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_rule_add.argtypes = [
        *(ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint)
    ]
    library.seccomp_load.argtypes = [ctypes.c_void_p]
    context = library.seccomp_init(REFUSE)
    for name in allowed:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:  # others are of another kind of machine
            assert library.seccomp_rule_add(context, ALLOW, number, 0) == 0
    assert library.seccomp_load(context) == 0


if __name__ == "__main__":
    confine(calls_of(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606
