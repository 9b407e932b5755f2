"""What the machine has to offer for a test to make sense."""

from __future__ import annotations

import os
import shutil

import pytest


def find_program(*names: str) -> str | None:
    """Return where the first of these programs is, also outside the user's PATH."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    found = (shutil.which(name, path=path) for name in names)
    return next((program for program in found if program), None)


def require_program(*names: str) -> str:
    """Return the path of a program, or skip the test; under CI, fail it."""
    program = find_program(*names)
    if program:
        return program
    reason = f"{names[0]} is not installed"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
