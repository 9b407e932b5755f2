from __future__ import annotations

import logging
from unittest import mock

import pytest
from django.db import connection
from django.utils import timezone

from purelymanage import crypto
from purelymanage.migrations.engines.pipeline.engine import PipelineEngine
from purelymanage.migrations.models import Job, Run
from purelymanage.migrations.operations import runs, secrets
from purelymanage.purelymail.sandbox.demo_mail import password_of
from tests.migrations.cases import SMALL, MigrationTestCase


def whole_database() -> str:
    """Every row of every table as text."""
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
        rows = []
        for name in names:
            quoted = connection.ops.quote_name(name)
            cursor.execute(f"SELECT t::text FROM {quoted} AS t")  # noqa: S608
            rows += [row for (row,) in cursor.fetchall()]
    return "\n".join(rows)


class SecretsTests(MigrationTestCase):
    @pytest.mark.slow
    def test_no_password_is_written_anywhere(self) -> None:
        with (
            self.assertLogs(level=logging.DEBUG) as logs,
            mock.patch.object(
                PipelineEngine, "copy", autospec=True, side_effect=PipelineEngine.copy
            ) as copy,
        ):
            run = self.carry_out(self.new_run())
            self.assertIn(run.job.destination, whole_database())
            passwords = [password_of(SMALL), copy.call_args.args[2].password]
            during = whole_database()
            runs.queue_run(job=run.job, dry_run=False, actor=self.adam)
            self.carry_out(Run.objects.get(is_newest=True))
        for password in passwords:
            self.assertGreater(len(password), 10)
            self.assertNotIn(password, during)
            self.assertNotIn(password, whole_database())
            self.assertNotIn(password, "\n".join(logs.output))
            self.assertNotIn(password, repr(copy.call_args))

    def test_a_sealed_password_opens_at_its_own_job_only(self) -> None:
        job = self.new_run().job
        self.assertEqual(secrets.open_secret(job), password_of(SMALL))
        other = Job(
            server=self.server,
            source_user="somebody else",
            source_secret=job.source_secret,
            secret_expires_at=timezone.now(),
            destination=job.destination,
            destination_domain=job.destination_domain,
            created_by=self.adam,
        )
        with self.assertRaises(crypto.Unreadable):
            secrets.open_secret(other)

    def test_a_job_whose_key_is_lost_asks_again(self) -> None:
        run = self.new_run()
        Job.objects.update(source_secret="gone:" + run.job.source_secret)
        run = self.carry_out(run)
        self.assertEqual(run.trouble, Run.Trouble.PASSWORD)
        self.assertEqual(run.state, Run.State.FAILED)
