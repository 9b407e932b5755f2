"""No password is written down anywhere, whatever an engine says about it."""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.test import override_settings

from purelymanage.migrations.engines.imapsync import process
from purelymanage.migrations.engines.imapsync.program import find_program, version_of
from purelymanage.migrations.models import Job, Run
from purelymanage.migrations.operations import runs
from purelymanage.purelymail.sandbox.demo_mail import password_of
from tests.migrations.cases import SMALL, MigrationTestCase
from tests.migrations.test_canary import holds
from tests.migrations.test_secrets import whole_database

REAL = find_program(os.environ.get("IMAPSYNC_BIN") or "imapsync") or ""
# It reads both passwords, and says them in every way that it can think of.
LEAKY = """
import base64, json, os, sys, time, urllib.parse
from pathlib import Path

if "--version" in sys.argv:
    print("2.290")
    sys.exit(0)
here = Path(__file__).parent
options = dict(a[2:].partition("=")[::2] for a in sys.argv[1:] if a.startswith("--"))
processes = []
for folder in Path("/proc").iterdir():
    if folder.name.isdecimal():
        try:
            processes.append((folder / "cmdline").read_bytes().decode("latin-1"))
        except OSError:
            pass
room = [
    file.read_bytes().decode("latin-1")
    for file in Path(options["tmpdir"]).rglob("*") if file.is_file()
]
facts = [sys.argv, dict(os.environ), processes, room]
(here / "facts").write_text(json.dumps(facts))
print("argv:", *sys.argv, flush=True)
for side in "12":
    with open(options["passfile" + side]) as file:
        password = file.read()
    word = password.rstrip("\\n")
    user = options["user" + side]
    plain = f"{user}\\0{user}\\0{word}".encode()
    print("Here is what I was given as a password", repr(password))
    print(f"password{side}={word}")
    print(f"--password{side} '{word}' --user{side} '{user}'", file=sys.stderr)
    print("in JSON", json.dumps({"password": word}))
    print("x" * 1990 + word + "x" * 5000)
    print("as base64", base64.b64encode(word.encode()).decode())
    print("+ PLAIN", base64.b64encode(plain).decode())
    print("+ PLAIN", base64.b64encode(plain.replace(user.encode(), b"", 1)).decode())
    print("as a link", "imaps://u:" + urllib.parse.quote(word, safe="") + "@host/")
    quoted = word.replace("\\\\", "\\\\\\\\").replace('"', '\\\\"')
    print(f'Sending: 2 LOGIN u "{quoted}"')
    if not os.path.exists(here / "fails"):
        print(f"Host{side}: success login on [h] with user [u] auth [LOGIN] {word}")
    print(f"Host{side} folder 1/1 [{word}] Size: 1 Messages: 1 Biggest: 1")
    print(f"Host{side} Nb messages:       40 messages {word}")
    print(f"Folder 1/1 [INBOX] -> [{word}]")
    print(f"- msg INBOX/1 {{100}} could not be fetched: 5 NO {word}")
    print(
        f"- msg INBOX/2 {{100}} could not append ( Subject:[{word}], "
        f'Date:["{word}"], Size:[100], Flags:[] ) to folder INBOX: 7 NO {word}'
    )
    print(f"Host1: folder INBOX: Could not select: 9 NO {word}")
    if os.path.exists(here / "fails"):
        print(
            f"Host{side} failure: Error login on [h] with user [{word}] "
            f"auth [LOGIN]: 2 NO refused {word}"
        )
    if os.path.exists(here / "lacks"):
        print(f"Can't locate {word}.pm in @INC")
    if os.path.exists(here / "stumbles"):
        print(f"Can't start it: {word}")
print("Exiting with return value 0 (EX_OK: x) 0/50 nb_errors/max_errors PID 1")
sys.stdout.write(word)
sys.stdout.flush()
sys.exit(0)
"""


class EngineTests(MigrationTestCase):
    canaries: list[str]
    folder: Path

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.canaries = [password_of(SMALL)]
        # The app password is made up for each run: note what goes into memory.
        access = process._access

        def note(side: Any, *args: Any) -> Any:
            self.canaries.append(side.password)
            return access(side, *args)

        self.enterContext(mock.patch.object(process, "_access", note))

    def leak(self, *moods: str) -> str:
        program = self.folder / "imapsync"
        program.write_text(f"#!{sys.executable} -IS\n{LEAKY}")
        program.chmod(0o755)
        for mood in moods:
            (self.folder / mood).touch()
        return str(program)

    def assert_nowhere(self, *texts: str) -> None:
        for text in (whole_database(), *texts):
            self.assertFalse(holds(text.encode(), self.canaries))
        left = Path(tempfile.gettempdir()).glob(f"{process.PREFIX}{os.getpid()}-*")
        self.assertEqual(list(left), [])

    def plan_and_copy(self) -> list[Run]:
        """Plan, then copy; what is logged meanwhile is looked at, too."""
        with self.assertLogs(level=logging.DEBUG) as logs:
            logging.getLogger("test").info("so that there is a line")
            plan = self.carry_out(self.new_run())
            self.assert_nowhere()
            if plan.is_open:
                runs.stop_run(run=plan, actor=self.adam)
            Job.objects.update(login="")
            job = Job.objects.get()
            copy = runs.queue_run(job=job, dry_run=False, actor=self.adam)
            copy = self.carry_out(copy)
        # The stand-in's servers live in this process, and log what they are sent.
        ours = [it for it in logs.records if not it.name.startswith("pymap")]
        self.assert_nowhere("\n".join(it.getMessage() for it in ours))
        return [plan, copy]

    def test_the_search_would_find_them(self) -> None:
        run = self.new_run()
        Run.objects.filter(pk=run.pk).update(technical=f"NO {password_of(SMALL)}")
        with self.assertRaises(AssertionError):
            self.assert_nowhere()

    @pytest.mark.slow
    def test_the_pipeline(self) -> None:
        plan, copy = self.plan_and_copy()
        self.assertEqual((plan.engine, copy.engine), ("pipeline", "pipeline"))
        self.assertEqual(copy.verdict, Run.Verdict.COMPLETE)
        self.assertEqual(Job.objects.get().source_secret, "")

    @pytest.mark.slow
    def test_an_imapsync_that_says_all_it_knows(self) -> None:
        with override_settings(MIGRATION_ENGINE="imapsync", IMAPSYNC_BIN=self.leak()):
            plan, copy = self.plan_and_copy()
        # All of it came here,
        self.assertEqual((copy.engine, copy.engine_version), ("imapsync", "2.290"))
        self.assertIn("as a link", copy.log)
        self.assertIn("password1=…", copy.log)
        self.assertTrue(copy.errors.exists())
        self.assertGreater(len(self.canaries), 3)
        # and none of it was to be seen from outside.
        facts = (self.folder / "facts").read_text()
        self.assertIn("passfile1", facts)
        self.assertFalse(holds(facts.encode(), self.canaries))
        self.assertIn(SMALL, json.loads(facts)[0][3])
        self.assertEqual(plan.trouble, "")

    @pytest.mark.slow
    def test_an_imapsync_that_fails_with_them_in_its_mouth(self) -> None:
        self.leak()
        job = self.new_run().job
        for mood, failure in (
            ("fails", "refused this password"),
            ("lacks", "Perl lacks a part"),
            ("stumbles", "does not start here"),
        ):
            program = self.leak(mood)
            with (
                self.subTest(mood),
                override_settings(MIGRATION_ENGINE="imapsync", IMAPSYNC_BIN=program),
            ):
                run = Run.objects.get(is_newest=True)
                run = self.carry_out(run)
                self.assertIn(failure, run.failure)
                self.assertNotEqual(run.technical, "")
                self.assert_nowhere()
            (self.folder / mood).unlink()
            if run.is_open:
                runs.stop_run(run=run, actor=self.adam)
            Job.objects.update(login="")
            job.refresh_from_db()
            runs.queue_run(job=job, dry_run=True, actor=self.adam)

    @pytest.mark.slow
    @unittest.skipUnless(version_of(REAL), "imapsync is not installed")
    def test_the_real_imapsync(self) -> None:
        with override_settings(MIGRATION_ENGINE="imapsync", IMAPSYNC_BIN=REAL):
            _, copy = self.plan_and_copy()
        self.assertEqual((copy.engine, copy.failure), ("imapsync", ""))
        self.assertEqual(copy.verdict, Run.Verdict.COMPLETE)
