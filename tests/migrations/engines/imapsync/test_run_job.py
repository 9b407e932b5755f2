from __future__ import annotations

import os

import pytest
from django.test import override_settings

from purelymanage.migrations.engines.imapsync.program import find_program, version_of
from purelymanage.migrations.models import Run
from purelymanage.migrations.models.servers import EngineChoice
from purelymanage.migrations.operations import runs
from tests.migrations.cases import MigrationTestCase

PROGRAM = find_program(os.environ.get("IMAPSYNC_BIN") or "imapsync") or ""


@pytest.mark.slow
class RunJobTests(MigrationTestCase):
    """A whole run between the two providers of the stand-in."""

    def setUp(self) -> None:
        if not version_of(PROGRAM):
            self.skipTest("imapsync is not installed")
        super().setUp()
        self.enterContext(
            override_settings(MIGRATION_ENGINE="auto", IMAPSYNC_BIN=PROGRAM)
        )

    def test_it_plans_and_copies(self) -> None:
        plan = self.carry_out(self.new_run(dry_run=True))
        self.assertEqual((plan.state, plan.failure), (Run.State.DONE, ""))
        self.assertEqual((plan.engine, plan.to_copy), ("imapsync", 40))

        run = self.carry_out(self.new_run(dry_run=False))
        self.assertEqual((run.state, run.failure), (Run.State.DONE, ""))
        self.assertEqual(run.verdict, Run.Verdict.COMPLETE)
        self.assertEqual((run.engine, run.copied), ("imapsync", 40))
        self.assertEqual(run.job.source_secret, "")
        self.assertNotIn("@", run.log)
        self.assertIn("++++ Statistics", run.log)
        self.assertEqual(self.app_passwords(run.job.destination), 0)

    def test_what_it_cannot_do_goes_to_the_other_engine(self) -> None:
        run = self.new_run()
        run.job.options = {"flags_only": True}
        run.job.save(update_fields=["options"])
        run = self.carry_out(run)
        self.assertEqual((run.state, run.engine), (Run.State.DONE, "pipeline"))

        run.job.engine = EngineChoice.IMAPSYNC
        run.job.save(update_fields=["engine"])
        run = self.carry_out(runs.queue_run(job=run.job, dry_run=True, actor=self.adam))
        self.assertEqual((run.state, run.engine), (Run.State.FAILED, "imapsync"))
        self.assertEqual(run.trouble, Run.Trouble.PROTOCOL)
        self.assertIn("The engine pipeline can", run.failure)
