from __future__ import annotations

import logging
from datetime import timedelta
from unittest import mock

import pytest
from django.core.cache import cache
from django.test import override_settings
from django.utils import timezone

from purelymanage.audit.models import Entry
from purelymanage.mailboxes import tasks
from purelymanage.mailboxes.models import Mailbox
from purelymanage.purelymail import client
from tests.sandbox import SyncedTestCase


class FillInDetailsTests(SyncedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(client, "PAUSES", ()))
        logging.disable(logging.WARNING)
        self.addCleanup(logging.disable, logging.NOTSET)

    def fill_in_all(self) -> None:
        for _ in range(4):
            tasks.fill_in_details()

    def test_it_reads_a_few_at_a_time(self) -> None:
        self.assertEqual(tasks.fill_in_details(), "12 read")
        self.assertEqual(self.sandbox.calls.as_dict(), {"getUser": 12})
        self.assertEqual(Mailbox.objects.exclude(details_at=None).count(), 12)

    def test_after_four_minutes_it_has_read_them_all(self) -> None:
        self.fill_in_all()
        self.assertEqual(tasks.fill_in_details(), "0 read")
        self.assertEqual(Mailbox.objects.filter(two_factor=None).count(), 0)
        self.assertGreater(Mailbox.objects.filter(two_factor=True).count(), 0)
        self.assertFalse(Entry.objects.exists())

    def test_it_looks_again_after_a_week(self) -> None:
        self.fill_in_all()
        anna = Mailbox.objects.filter(address="anna@example.org")
        anna.update(details_at=timezone.now() - timedelta(days=8))
        self.assertEqual(tasks.fill_in_details(), "1 read")

    def test_changes_are_told(self) -> None:
        self.fill_in_all()
        details = {"type": "email", "target": "anna@private.example"}
        self.remote("upsertPasswordReset", userName="anna@example.org", **details)
        self.remote(
            "modifyUser", userName="anna@example.org", enableSearchIndexing=False
        )
        Mailbox.objects.filter(address="anna@example.org").update(
            details_at=timezone.now() - timedelta(days=8), two_factor=True
        )
        tasks.fill_in_details()
        self.assertEqual(
            str(Entry.objects.get()),
            "Somebody outside this panel changed anna@example.org: two-factor sign-in off, "
            "search indexing off, recovery methods",
        )

    @pytest.mark.slow
    def test_a_vanished_mailbox_does_not_block_the_others(self) -> None:
        self.remote("deleteUser", userName="accounts@shop.example")
        self.fill_in_all()
        self.assertEqual(tasks.fill_in_details(), "0 read")

    def test_an_answer_that_nobody_understands_does_not_either(self) -> None:
        user = self.sandbox.account.state.users["accounts@shop.example"]
        user.two_factor = "perhaps"  # type: ignore[assignment]  # that is the point
        self.fill_in_all()
        self.assertEqual(tasks.fill_in_details(), "0 read")
        mailbox = Mailbox.objects.get(address="accounts@shop.example")
        self.assertIsNone(mailbox.two_factor)

    def test_trouble_ends_it_for_some_minutes(self) -> None:
        cache.clear()
        self.fault("status_500", "getUser")
        self.assertIn("0 read, then: PurelyMail", tasks.fill_in_details())
        self.sandbox.calls.clear()
        self.assertIn("later", tasks.fill_in_details())
        self.assertEqual(len(self.sandbox.calls), 0)
        soon = timezone.now() + timedelta(minutes=10)
        with (
            mock.patch("django.utils.timezone.now", return_value=soon),
            override_settings(PURELYMAIL_API_TOKEN="pm-live-wrong"),
        ):
            self.assertIn("0 read, then: Token", tasks.fill_in_details())
        self.assertFalse(Mailbox.objects.exclude(details_at=None).exists())
