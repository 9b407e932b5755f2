from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import pytest
from django.db import connection
from django.test import TransactionTestCase

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.audit.models import Agent
from purelymanage.domains import sync
from purelymanage.domains.models import SyncRun
from purelymanage.errors import Refused
from purelymanage.mailboxes.models import Creation
from purelymanage.mailboxes.operations import creating as operations
from purelymanage.purelymail import budget
from purelymanage.purelymail.errors import NotSent
from purelymanage.purelymail.models import Bucket, CallCount
from tests.cast import PASSWORD
from tests.sandbox import WithSandbox


class AtOnceTests(WithSandbox, TransactionTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.adam = User.objects.create_user(
            "adam@example.org", PASSWORD, role=Role.ADMIN
        )
        sync.sync(actor=Agent.PANEL)

    def create(self) -> str:
        try:
            operations.create_mailbox(
                address="zoe@example.org",
                password="nine-blue-canaries",
                wishes=operations.Wishes(),
                actor=self.adam,
            )
        except operations.NotCreated as exc:
            return str(exc)
        finally:
            connection.close()
        return "created"

    @pytest.mark.slow
    def test_two_clicks_create_one_mailbox(self) -> None:
        self.fault("latency", "createUser", seconds=0.3)
        with ThreadPoolExecutor(2) as pool:
            first, second = sorted(pool.map(lambda _: self.create(), range(2)))
        self.assertIn("already, and its answer is awaited", first)
        self.assertEqual(second, "created")
        self.assertEqual(self.sandbox.calls.count("createUser"), 1)
        self.assertEqual(Creation.objects.get().state, Creation.State.DONE)

    @pytest.mark.slow
    def test_two_syncs_do_not_run_at_once(self) -> None:
        self.fault("latency", "listDomains", seconds=0.3)

        def run(_: int) -> str:
            try:
                return sync.sync(actor=Agent.PANEL).state
            except Refused as exc:
                return str(exc)
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            states = sorted(pool.map(run, range(2)))
        self.assertEqual(states, ["A sync is running already.", "done"])
        self.assertEqual(SyncRun.objects.count(), 2)

    def test_all_processes_share_one_budget(self) -> None:
        Bucket.objects.all().delete()
        CallCount.objects.all().delete()

        def spend(_: int) -> bool:
            try:
                budget.spend("listUser", patience=0)
            except NotSent:
                return False
            else:
                return True
            finally:
                connection.close()

        with (
            mock.patch.object(budget, "SECONDS_A_CALL", 60.0),
            ThreadPoolExecutor(5) as pool,
        ):
            went = list(pool.map(spend, range(20)))
        self.assertEqual(went.count(True), budget.BURST)
        self.assertEqual(budget.calls_by_hour(1)[0]["listUser"], budget.BURST)
