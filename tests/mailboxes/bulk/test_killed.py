"""Workers that are killed in the middle, and two that want the same bulk change."""

from __future__ import annotations

import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection, connections
from django.test import TransactionTestCase
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.audit.models import Agent
from purelymanage.domains import sync
from purelymanage.mailboxes.bulk import running, tasks
from purelymanage.mailboxes.bulk.rows import WORK
from purelymanage.mailboxes.models import Bulk, BulkRow
from tests.cast import PASSWORD
from tests.mailboxes.bulk.cases import ADDRESSES, WithBulks

ROWS = 500


class KilledTests(WithBulks, TransactionTestCase):
    def setUp(self) -> None:
        super().setUp()
        cache.clear()
        self.adam = User.objects.create_user(
            "adam@example.org", PASSWORD, role=Role.ADMIN
        )
        sync.sync(actor=Agent.PANEL)

    def work_in_a_child(self) -> int:
        """Do what is queued in a process of its own, and return which."""
        connections.close_all()
        pid = os.fork()
        if pid:
            return pid
        try:
            self.work()
        finally:
            os._exit(0)

    def kill_when(self, made: int, pid: int) -> None:
        while len(self.made()) < made:
            assert os.waitpid(pid, os.WNOHANG) == (0, 0), "it ended by itself"
            time.sleep(0.002)
        time.sleep(random.random() * 0.03)  # noqa: S311  # anywhere within a row
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    def expire_lease(self, bulk: Bulk) -> None:
        """Let the time pass after which a silent worker is taken for dead."""
        past = timezone.now() - timedelta(seconds=1)
        Bulk.objects.filter(pk=bulk.pk).update(lease_until=past)

    @pytest.mark.slow
    def test_500_mailboxes_whose_worker_is_killed_three_times(self) -> None:
        bulk = self.import_rows(ROWS, self.adam)
        self.start(bulk, self.adam)
        chance = random.Random()  # noqa: S311
        for made in sorted(chance.sample(range(10, ROWS - 10), 3)):
            self.kill_when(made, self.work_in_a_child())
            self.assertEqual(running.sweep(WORK), 0)  # somebody seems to hold it
            self.expire_lease(bulk)
            self.assertEqual(running.sweep(WORK), 1)
        os.waitpid(self.work_in_a_child(), 0)

        bulk.refresh_from_db()
        self.assertEqual(bulk.state, Bulk.State.DONE)
        self.assertEqual(self.counts(bulk), {BulkRow.State.DONE: ROWS})
        self.assertEqual(self.made(), sorted(ADDRESSES[:ROWS]))
        self.assertEqual(self.events("mailbox.created").count(), ROWS)
        unusable = [it for it in self.made() if not self.has_usable_password(it)]
        self.assertEqual(unusable, [])
        # A row may be interrupted between two calls, hence three at most.
        self.assertLessEqual(self.sandbox.calls.count("createUser"), ROWS + 3)

    @pytest.mark.slow
    def test_two_workers_share_no_row(self) -> None:
        bulk = self.import_rows(20, self.adam)
        self.start(bulk, self.adam)
        bulk.refresh_from_db()

        def work(_: int) -> str:
            try:
                return tasks.run_bulk(bulk.pk, bulk.attempt)
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            said = sorted(pool.map(work, range(2)))
        self.assertEqual(said, ["done", "somebody else's turn"])
        self.assertEqual(self.sandbox.calls.count("createUser"), 20)
        self.assertEqual(self.counts(bulk), {BulkRow.State.DONE: 20})
