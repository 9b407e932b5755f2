"""How long small things may take, in seconds: python -m tests.benchmarks.small

The suite does not ask, as it runs on machines of any speed beside other tests. Needs a
database as the tests do, and an idle machine that is not older than a few years.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if __name__ == "__main__":
    paces = Path(__file__).with_name("paces.py")
    sys.exit(pytest.main([str(paces), "-q", "-rP"]))
