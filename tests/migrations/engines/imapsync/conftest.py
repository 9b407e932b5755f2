from __future__ import annotations

import os

import pytest

from purelymanage.migrations.engines.imapsync.engine import ImapsyncEngine
from purelymanage.migrations.engines.imapsync.program import find_program, version_of


@pytest.fixture(scope="session")
def engine() -> ImapsyncEngine:
    """The real program, where there is one: it is not ours to install."""
    program = find_program(os.environ.get("IMAPSYNC_BIN") or "imapsync")
    if program is None or not version_of(program):
        pytest.skip("imapsync is not installed")
    return ImapsyncEngine(program)
