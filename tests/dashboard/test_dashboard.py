from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.utils import timezone

from purelymanage.broker import CLUSTERS
from purelymanage.dashboard.models import CreditReading
from purelymanage.domains.models import Domain, SyncRun
from purelymanage.mailboxes.models import Mailbox
from tests.cast import CastTestCase

RIGHT = {
    "passes_mx": True,
    "passes_spf": True,
    "passes_dkim": True,
    "passes_dmarc": True,
}


class DashboardTests(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        now = timezone.now()
        SyncRun.objects.create(
            state="done", started_at=now, finished_at=now - timedelta(minutes=4)
        )
        Domain.objects.create(name="example.org", **RIGHT)
        Domain.objects.create(name="shop.example", **RIGHT)
        CreditReading.objects.create(amount=Decimal("18.42"))
        Mailbox.objects.create(address="a@shop.example", domain="shop.example")

    def setUp(self) -> None:
        for name in CLUSTERS:
            cache.set(f"pulse:{name}", "asks for work", 30)
        self.client.force_login(self.olga)

    def titles(self) -> list[str]:
        return [found.title for found in self.client.get("/").context["findings"]]

    def test_all_is_well(self) -> None:
        r = self.client.get("/")
        self.assertContains(r, "Nothing needs you")
        self.assertContains(r, "Synced")
        self.assertContains(r, "$18.42")

    def test_credit_below_five_dollars_needs_attention(self) -> None:
        CreditReading.objects.update(amount=Decimal("4.20"))
        self.assertEqual(self.titles(), ["The credit is down to $4.20, below $5."])

    def test_credit_below_two_dollars_is_urgent(self) -> None:
        CreditReading.objects.update(amount=Decimal("1.20"))
        found = self.client.get("/").context["findings"][0]
        self.assertEqual(found.tone, "broken")
        self.assertIn("below $2", found.title)

    def test_a_domain_without_mx_comes_first(self) -> None:
        CreditReading.objects.update(amount=Decimal("4.20"))
        Domain.objects.filter(name="example.org").update(passes_mx=False)
        self.assertEqual(self.titles()[0], "Mail to example.org does not arrive.")

    def test_many_broken_domains_are_counted(self) -> None:
        Domain.objects.bulk_create(Domain(name=f"d{n}.example") for n in range(9))
        self.assertIn("Mail to 6 more domains does not arrive.", self.titles())

    def test_records_that_are_only_advisable_are_told_together(self) -> None:
        Domain.objects.update(passes_dmarc=False)
        self.assertEqual(self.titles(), ["Mail from 2 domains may be taken for spam."])

    def test_a_failed_sync_says_why_and_what_one_sees(self) -> None:
        now = timezone.now()
        SyncRun.objects.create(
            state="failed", started_at=now, finished_at=now, reason="It was down."
        )
        r = self.client.get("/")
        self.assertContains(r, "The account could not be read from PurelyMail.")
        self.assertContains(r, "It was down. You see the account as it was at")

    def test_silent_workers_are_told_to_those_who_wait_for_them(self) -> None:
        cache.delete("pulse:migrations")
        self.assertEqual(self.titles(), ["Nobody works on copies."])
        self.client.force_login(self.audrey)
        self.assertEqual(self.titles(), [])

    def test_before_the_first_sync(self) -> None:
        SyncRun.objects.all().delete()
        self.assertContains(self.client.get("/"), "read for the first time")

    @pytest.mark.slow
    def test_an_account_that_was_never_read_is_not_an_empty_one(self) -> None:
        for model in (SyncRun, Domain, Mailbox, CreditReading):
            model.objects.all().delete()
        now = timezone.now()
        SyncRun.objects.create(
            state="failed", started_at=now, finished_at=now, reason="It was down."
        )
        r = self.client.get("/")
        self.assertContains(r, "The account could not be read from PurelyMail.")
        self.assertContains(r, "It was down. Nothing of the account can be shown yet.")
        self.assertNotContains(r, "<dd>0</dd>")
        self.assertNotContains(r, '<span class="count">0</span>')
        self.assertNotContains(r, "No domain yet")
        # Three figures, and the same three in the side bar.
        self.assertContains(r, "not known yet", count=6)
        for path in ("/mailboxes/", "/domains/", "/routing/", "/mailboxes/new/"):
            with self.subTest(path=path):
                r = self.client.get(path)
                self.assertContains(r, "The account could not be read from PurelyMail")
                self.assertContains(r, "It was down. The panel goes on trying")
                self.assertContains(r, f'hx-get="{path}" hx-trigger="synced from:body"')

    def test_limited_people_see_neither_credit_nor_other_domains(self) -> None:
        Domain.objects.filter(name="example.org").update(passes_mx=False)
        self.client.force_login(self.lina)
        r = self.client.get("/")
        self.assertNotContains(r, "$18.42")
        self.assertNotContains(r, "to example.org")
        self.assertContains(r, "shop.example")

    def test_helpers_see_mailboxes_only(self) -> None:
        self.client.force_login(self.hedy)
        r = self.client.get("/")
        for words in ("DNS health", "Credit", "Running copies", "Recent changes"):
            self.assertNotContains(r, words)
        for path in ("/domains/", "/routing/", "/migrations/", "/audit/"):
            self.assertNotContains(r, f'href="{path}"')
        self.assertContains(r, 'href="/mailboxes/"')

    def test_nothing_is_inline(self) -> None:
        r = self.client.get("/")
        self.assertNotContains(r, " style=")
        self.assertNotContains(r, "<style")
        self.assertNotContains(r, "<script>")
        scripts = re.findall(r"<script ([^>]*)>", r.content.decode())
        self.assertGreater(len(scripts), 3)
        nonce = re.findall(r"script-src 'nonce-([^']+)'", r["Content-Security-Policy"])
        self.assertTrue(all(f'nonce="{nonce[0]}"' in it for it in scripts), scripts)
