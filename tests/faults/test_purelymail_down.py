from __future__ import annotations

import logging
from unittest import mock

import pytest

from purelymanage.audit.models import Agent
from purelymanage.domains import sync
from purelymanage.domains.models import SyncRun
from purelymanage.mailboxes.models import Mailbox
from purelymanage.purelymail import client
from tests.benchmarks.faults.outside import ASKING
from tests.faults.hour import work
from tests.sandbox import SyncedTestCase


@pytest.mark.slow
class PurelyMailDownTests(SyncedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(client, "PAUSES", (0.0, 0.0)))
        logging.disable(logging.ERROR)
        self.addCleanup(logging.disable, logging.NOTSET)

    def test_an_hour_of_it_is_told_and_costs_few_calls(self) -> None:
        known = set(Mailbox.objects.present().values_list("address", flat=True))
        for kind in ("status_500", "half_answer", "drop"):
            with self.subTest(kind=kind):
                self.fault(kind, times=None)
                calls = work(60, ASKING, step=10)
                self.sandbox.faults.clear()
                # Of six looks at what there is to do each may try three times.
                self.assertLessEqual(calls.total(), 3 * 6 + 3 * 4, calls)
                self.assertIn("PurelyMail", SyncRun.objects.freshness().reason)
                self.client.force_login(self.olga)
                self.assertContains(
                    self.client.get("/"), "could not be read from PurelyMail"
                )
                self.assertContains(self.client.get("/mailboxes/"), min(known))
        sync.sync(actor=Agent.PANEL)
        self.assertEqual(SyncRun.objects.freshness().reason, "")
        self.assertEqual(
            set(Mailbox.objects.present().values_list("address", flat=True)), known
        )
