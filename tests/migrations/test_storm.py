from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from django.test import SimpleTestCase

from tests.migrations.worker import ROOT
from tests.requirements import require_program

JOBS, KILLS = 24, 6


@pytest.mark.slow
class StormTests(SimpleTestCase):
    """Smaller than it can be: `tests/benchmarks/storm.py` takes larger numbers."""

    def test_nothing_is_lost_whatever_breaks(self) -> None:
        require_program("dovecot")
        words = f"--jobs {JOBS} --messages 3 --kills {KILLS} --outage 1 --hurry"
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.storm", *words.split()],
            cwd=ROOT,
            env={
                name: value
                for name, value in os.environ.items()
                if name not in {"DATABASE_URL", "DJANGO_SETTINGS_MODULE"}
            },
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr[-4000:])
        told = json.loads(done.stdout)
        self.assertEqual(told["verdicts"], {"complete": JOBS})
        self.assertEqual(told["kills"], KILLS)
        self.assertGreater(told["ends"]["lost"], 0)
        # Whoever met the mail server that was away, or the database.
        self.assertGreater(told["troubles"].get("connection", 0), 0)
