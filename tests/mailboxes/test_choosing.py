"""Choosing mailboxes in the list without any script: a plain form."""

from __future__ import annotations

import re

import pytest

from purelymanage.mailboxes.models import Bulk, Mailbox
from tests.account import add_deletion
from tests.cast import CastTestCase


class ChoosingTests(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        Mailbox.objects.bulk_create(
            Mailbox(
                address=f"m{n:04}@{domain}",
                domain=domain,
                two_factor=n % 2 == 0,
                tags=["sales"],
            )
            for domain in ("example.org", "shop.example")
            for n in range(600)
        )

    def setUp(self) -> None:
        self.client.force_login(self.olga)

    def choose(self, **form: object) -> set[str]:
        """Return what a bulk change begins with."""
        r = self.client.post("/mailboxes/bulk/new/", {"kind": "tag", **form})
        self.assertEqual(r.status_code, 302)
        rows = Bulk.objects.latest("pk").rows
        return set(rows.values_list("address", flat=True))

    def test_the_form_offers_the_rows_and_all_that_match(self) -> None:
        page = self.client.get("/mailboxes/?two_factor=on&tag=sales").content.decode()
        form = page[page.index("data-selection") :]
        self.assertEqual(len(re.findall(r'name="key"', form)), 50)
        self.assertIn('<input type="hidden" name="two_factor" value="on">', form)
        self.assertIn('<input type="hidden" name="tag" value="sales">', form)
        self.assertIn('name="all" value="1"', form)
        self.assertIn('name="kind" value="delete"', form)

    def test_ticked_rows_are_chosen(self) -> None:
        some = ["m0001@example.org", "m0002@example.org"]
        self.assertEqual(self.choose(key=some, two_factor="on"), set(some))

    def test_all_that_match_are_chosen_whatever_is_ticked(self) -> None:
        form = {"all": "1", "key": ["m0001@shop.example"], "domain": "example.org"}
        chosen = self.choose(two_factor="on", tag="sales", **form)
        self.assertEqual(len(chosen), 300)
        self.assertNotIn("m0001@shop.example", chosen)

    @pytest.mark.slow
    def test_more_fit_into_the_form_than_one_page_holds(self) -> None:
        every = list(Mailbox.objects.values_list("address", flat=True))
        self.assertEqual(len(self.choose(key=every)), 1200)

    def test_all_is_what_a_person_may_see(self) -> None:
        self.client.force_login(self.lina)
        chosen = self.choose(all="1", tag="sales")
        self.assertEqual(len(chosen), 600)
        self.assertTrue(all(it.endswith("@shop.example") for it in chosen))

    def test_a_refusal_leads_back_to_the_same_list(self) -> None:
        form = {"kind": "delete", "all": "1", "two_factor": "on"}
        r = self.client.post("/mailboxes/bulk/new/", form)
        self.assertRedirects(r, "/mailboxes/?two_factor=on")
        r = self.client.post("/mailboxes/bulk/new/", {"kind": "tag"}, follow=True)
        self.assertContains(r, "No mailbox was chosen.")

    def test_what_is_frozen_or_gone_cannot_be_ticked(self) -> None:
        add_deletion(self.olga, "m0001@example.org")
        r = self.client.get("/mailboxes/?q=m0001@example.org")
        self.assertNotContains(r, 'name="key"')
        self.assertNotContains(r, "Copy mail into it")
