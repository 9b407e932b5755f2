"""What every process of the panel would have to wait for when it starts."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from purelymanage.environment import BASE_DIR

# Used by few, and dear to load.
HEAVY = {"checkdmarc", "dns.asyncquery", "dns.resolver", "httpx", "zxcvbn", "dnslib"}
PANEL = """
import json, sys
import django
django.setup()
from purelymanage.audit import key_proofs
key_proofs.prove_or_exit = lambda patience: None  # no database is needed to load
from purelymanage.wsgi import application
print(json.dumps(sorted(sys.modules)))
"""
COMMAND = """
import json, sys
from purelymanage import command_line
try:
    command_line.run(["manage.py", sys.argv[1], "--version"])
except SystemExit:
    print(json.dumps(sorted(sys.modules)))
"""


def loaded_by(program: str, *arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.slow
def test_the_panel_loads_what_few_use_where_it_is_used() -> None:
    loaded = loaded_by(PANEL)
    assert "purelymanage.domains.views.details" in loaded
    assert not loaded & HEAVY


@pytest.mark.slow
@pytest.mark.parametrize("name", ["quickstart", "sandbox"])
def test_what_needs_no_app_loads_none(name: str) -> None:
    loaded = loaded_by(COMMAND, name)
    assert "purelymanage.settings" in loaded
    assert "purelymanage.accounts.models" not in loaded
