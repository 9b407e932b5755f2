from __future__ import annotations

import imaplib
import ssl
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.mailboxes.models import AppPassword, Mailbox
from purelymanage.mailboxes.tasks import revoke_app_passwords
from purelymanage.migrations.models import Job, Run, Server
from purelymanage.migrations.models.runs import LEASE
from purelymanage.migrations.operations import jobs, runs
from purelymanage.purelymail.sandbox import demo
from purelymanage.purelymail.sandbox.demo_mail import ANNA, HOST, password_of
from tests.imap.proxy import Proxy
from tests.migrations.cases import ADDRESS, SMALL, WithMail, make_mailboxes
from tests.migrations.worker import Cluster, wait_for

BEN = f"ben@{HOST}"  # 200 messages, where Anna has 1,500
# So that a copy takes long enough to get into its middle.
BYTES_A_SECOND = {ANNA: 4_000_000, BEN: 600_000, SMALL: 600_000}


@pytest.mark.slow
class WorkerTests(WithMail, TransactionTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.adam = User.objects.create_user("adam@example.org", None, role=Role.ADMIN)
        host, _, port = self.sandbox.source_imap.rpartition(":")
        proxy = self.enterContext(Proxy(int(port), host, rewrite=self.slowly))
        self.server = Server.objects.create(
            name="Old", host=proxy.host, port=proxy.port, created_by=self.adam
        )
        make_mailboxes()

    def slowly(self, data: bytes) -> bytes:
        time.sleep(len(data) / BYTES_A_SECOND[self.source])
        return data

    def new_copy(self, source: str = BEN) -> Run:
        self.source = source
        run = jobs.create_job(
            server=self.server,
            source_user=source,
            password=password_of(source),
            destination=Mailbox.objects.get(address=ADDRESS),
            actor=self.adam,
        )
        runs.stop_run(run=run, actor=self.adam)
        return runs.queue_run(job=run.job, dry_run=False, actor=self.adam)

    def wait_until_copying(self, run: Run) -> None:
        some = Run.objects.filter(pk=run.pk, copied__gt=0)
        wait_for(some.exists, within=40)

    def wait_until_ended(self, run: Run, *, within: float = 60) -> Run:
        open_run = Run.objects.open().filter(pk=run.pk)
        wait_for(lambda: not open_run.exists(), within=within)
        run.refresh_from_db()
        return run

    def messages_at_destination(self) -> int:
        context = ssl.create_default_context(cafile=settings.IMAP_CA_FILE)
        with imaplib.IMAP4_SSL(
            settings.PURELYMAIL_IMAP_HOST,
            settings.PURELYMAIL_IMAP_PORT,
            ssl_context=context,
        ) as server:
            server.login(ADDRESS, demo.password_of(ADDRESS))
            total = 0
            for row in server.list()[1]:
                assert isinstance(row, bytes)
                if b"\\Noselect" in row or b"\\NonExistent" in row:
                    continue
                name = row.decode().partition('"/" ')[2]
                answer = server.status(name, "(MESSAGES)")[1][0]
                total += int(answer.rpartition(b" ")[2].rstrip(b")"))
        return total

    def test_a_killed_worker_costs_nothing(self) -> None:
        run = self.new_copy(ANNA)
        with Cluster() as cluster:
            self.wait_until_copying(run)
            self.assertTrue(cluster.kill_workers())
            self.assertEqual(self.app_passwords(ADDRESS), 1)
            # Its slot is free at once, though it resumes only later: the server may
            # be busy with what had been sent.
            wait_for(Run.objects.queued().exists, within=3)
            run.refresh_from_db()
            assert run.not_before is not None
            self.assertGreater(run.not_before, timezone.now() + LEASE / 2)

            # As if half a minute had passed.
            Run.objects.update(not_before=None)
            run = self.wait_until_ended(run)
            revoke_app_passwords()
            # Those of both attempts.
            wait_for(lambda: not AppPassword.objects.exists(), within=5)

        self.assertEqual((run.verdict, run.attempt), (Run.Verdict.COMPLETE, 2))
        self.assertGreater(run.already_there, 0)
        # Also what was brought after the last report of the dead worker.
        self.assertEqual((run.copied_in_all, run.there_before), (1500, 0))
        self.assertEqual(run.messages, 1500)
        self.assertEqual(self.messages_at_destination(), 1500)
        self.assertEqual(self.app_passwords(ADDRESS), 0)
        self.assertEqual(Job.objects.get().source_secret, "")

    def test_a_copy_stops_within_three_seconds(self) -> None:
        run = self.new_copy()
        with Cluster():
            self.wait_until_copying(run)
            runs.stop_run(run=run, actor=self.adam)
            self.wait_until_ended(run, within=3)
            wait_for(lambda: not AppPassword.objects.exists(), within=5)
        self.assertEqual(run.state, Run.State.STOPPED)
        self.assertGreater(run.copied, 0)
        self.assertEqual(self.messages_at_destination(), run.copied)

    def test_a_cluster_that_is_shut_down_gives_its_copy_back(self) -> None:
        run = self.new_copy()
        with Cluster() as cluster:
            self.wait_until_copying(run)
            self.assertTrue(cluster.terminate(within=10))
        run.refresh_from_db()
        self.assertEqual(run.state, Run.State.QUEUED)
        self.assertFalse(AppPassword.objects.exists())
        with Cluster():
            run = self.wait_until_ended(run)
        self.assertEqual(run.verdict, Run.Verdict.COMPLETE)
        self.assertEqual(self.messages_at_destination(), 200)

    def test_a_database_that_drops_its_connections_is_no_reason_to_stop(self) -> None:
        run = self.new_copy()
        with Cluster():
            self.wait_until_copying(run)
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                self.assertGreater(cursor.fetchone()[0], 0)
            run = self.wait_until_ended(run)
        self.assertEqual((run.verdict, run.attempt), (Run.Verdict.COMPLETE, 1))
        self.assertEqual(self.messages_at_destination(), 200)

    def test_no_password_can_be_seen_from_outside(self) -> None:
        run = self.new_copy()
        secret = password_of(BEN).encode()
        with Cluster() as cluster:
            self.wait_until_copying(run)
            for pid in cluster.processes():
                for name in ("cmdline", "environ"):
                    self.assertNotIn(secret, Path(f"/proc/{pid}/{name}").read_bytes())
            runs.stop_run(run=run, actor=self.adam)
            self.wait_until_ended(run)
            self.assertNotIn(secret.decode(), cluster.output())

    def test_a_second_copy_waits_for_the_first_of_its_pair(self) -> None:
        first = self.new_copy(SMALL)
        second = Job.objects.create(
            server=self.server,
            source_user=SMALL.upper(),
            source_secret="",
            destination=ADDRESS,
            destination_domain="shop.example",
            created_by=self.adam,
        )
        waiting = Run.objects.create(job=second, pair=second.pair, dry_run=True)
        with Cluster():
            self.wait_until_ended(first)
            self.wait_until_ended(waiting)
        first.refresh_from_db()
        assert waiting.started_at is not None
        assert first.finished_at is not None
        self.assertGreater(waiting.started_at, first.finished_at)
