from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qsl

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from purelymanage.domains.models import Domain, SyncRun
from purelymanage.mailboxes.filters import SWITCHES
from purelymanage.mailboxes.models import Mailbox
from tests.cast import HTMX, CastTestCase

EVERY_FILTER = [(it.name, it.value) for it in SWITCHES] + [("q", "a"), ("tag", "a")]


class MailboxListTests(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        now = timezone.now()
        for address, two_factor, days in (
            ("anna@example.org", True, 1),
            ("ben@example.org", False, 3),
            ("clara@shop.example", None, 2),
        ):
            Mailbox.objects.create(
                address=address,
                domain=address.partition("@")[2],
                two_factor=two_factor,
                details_at=None if two_factor is None else now,
                first_seen_at=now - timedelta(days=days),
            )
        Mailbox.objects.create(
            address="gone@example.org", domain="example.org", gone_at=now
        )

    def setUp(self) -> None:
        self.client.force_login(self.olga)

    def addresses(self, query: str = "") -> list[str]:
        r = self.client.get(f"/mailboxes/{query}")
        return [mailbox.address for mailbox in r.context["rows"]]

    def test_it_lists_what_is_there(self) -> None:
        r = self.client.get("/mailboxes/")
        self.assertContains(r, "anna@example.org")
        self.assertContains(r, "3 mailboxes on 2 domains")
        self.assertNotContains(r, "gone@example.org")

    def test_each_word_must_be_in_the_address(self) -> None:
        self.assertEqual(self.addresses("?q=SHOP"), ["clara@shop.example"])
        self.assertEqual(self.addresses("?q=an+example.org"), ["anna@example.org"])

    def test_odd_characters_find_nothing(self) -> None:
        self.assertEqual(self.addresses("?q=%00%25_"), [])
        self.assertEqual(len(self.addresses("?page=nonsense&sort=nonsense")), 3)

    def test_it_filters_by_domain_and_two_factor(self) -> None:
        self.assertEqual(self.addresses("?domain=shop.example"), ["clara@shop.example"])
        self.assertEqual(self.addresses("?two_factor=on"), ["anna@example.org"])
        self.assertEqual(self.addresses("?two_factor=off"), ["ben@example.org"])

    def test_it_sorts_both_ways(self) -> None:
        self.assertEqual(self.addresses("?sort=-address")[0], "clara@shop.example")
        self.assertEqual(self.addresses("?sort=added")[0], "ben@example.org")
        self.assertEqual(self.addresses("?sort=-added")[0], "anna@example.org")

    def test_pages_keep_the_filters(self) -> None:
        Mailbox.objects.bulk_create(
            Mailbox(address=f"m{n:03}@big.example", domain="big.example")
            for n in range(60)
        )
        r = self.client.get("/mailboxes/?domain=big.example")
        self.assertContains(r, "1 to 50 of")
        self.assertContains(r, "?domain=big.example&amp;page=2")
        self.assertEqual(len(self.addresses("?domain=big.example&page=2")), 10)

    def test_htmx_gets_the_list_alone(self) -> None:
        r = self.client.get("/mailboxes/?q=anna", headers=HTMX)
        self.assertTemplateNotUsed(r, "base.html")
        self.assertContains(r, 'id="mailbox-list"')
        self.assertIn("HX-Request", r["Vary"])

    def test_details_that_were_not_read_are_not_guessed(self) -> None:
        r = self.client.get("/mailboxes/?q=clara")
        self.assertContains(r, "not read yet")
        self.assertNotContains(r, ">Off<")

    def test_no_match_offers_to_clear_the_filters(self) -> None:
        r = self.client.get("/mailboxes/?q=wharehouse")
        self.assertContains(r, "No mailbox contains “wharehouse”")
        self.assertContains(r, "Clear the filters")

    def test_whom_nobody_finds_is_created_with_the_name_searched_for(self) -> None:
        Domain.objects.create(name="shop.example")
        for words, query in (
            ("Yusra", "?name=yusra"),
            ("yusra@Shop.example", "?name=yusra%40shop.example"),
            ("yusra&domain=shop.example", "?name=yusra&amp;domain=shop.example"),
        ):
            with self.subTest(words):
                r = self.client.get("/mailboxes/", dict(parse_qsl(f"q={words}")))
                self.assertContains(r, f'href="/mailboxes/new/{query}"', count=2)
        for words in ("yusra bell", "yusra@nowhere.example", "(yusra)"):
            with self.subTest(words):
                r = self.client.get("/mailboxes/", {"q": words})
                self.assertNotContains(r, "?name=")
        self.assertNotContains(self.client.get("/mailboxes/?q=anna"), "?name=")
        self.client.force_login(self.audrey)
        r = self.client.get("/mailboxes/?q=yusra")
        self.assertNotContains(r, "?name=")

    def test_an_empty_account_offers_a_mailbox(self) -> None:
        Mailbox.objects.all().delete()
        self.assertContains(self.client.get("/mailboxes/"), "Nothing has been read")
        SyncRun.objects.create(state="done", finished_at=timezone.now())
        self.assertContains(self.client.get("/mailboxes/"), "No mailbox yet")

    def test_people_limited_to_domains_are_told_which(self) -> None:
        SyncRun.objects.create(state="done", finished_at=timezone.now())
        Mailbox.objects.filter(domain="shop.example").delete()
        self.client.force_login(self.hedy)
        r = self.client.get("/mailboxes/")
        self.assertContains(r, "No mailbox on your domains")
        self.assertContains(r, "You see those on shop.example, and there are none yet.")
        self.hedy.domain_scope = []
        self.hedy.save()
        self.assertContains(self.client.get("/mailboxes/"), "No domain is open to you")

    def test_limited_people_see_their_domains(self) -> None:
        self.client.force_login(self.hedy)
        self.assertEqual(self.addresses(), ["clara@shop.example"])
        self.assertEqual(self.addresses("?domain=example.org"), [])
        self.assertNotContains(self.client.get("/mailboxes/"), "example.org</option>")

    def test_only_those_who_may_are_offered_more(self) -> None:
        self.client.force_login(self.audrey)
        r = self.client.get("/mailboxes/")
        self.assertNotContains(r, "New mailbox")
        self.assertNotContains(r, "Copy mail")
        self.assertNotContains(r, "Import mailboxes")
        self.assertNotContains(r, 'name="key"')
        self.assertContains(r, "/mailboxes/export/csv/")

    def test_it_sorts_by_domain(self) -> None:
        self.assertEqual(self.addresses("?sort=domain")[0], "anna@example.org")
        self.assertEqual(self.addresses("?sort=-domain")[0], "clara@shop.example")

    def test_columns_are_chosen_and_remembered(self) -> None:
        Mailbox.objects.filter(address="anna@example.org").update(note="Front desk")
        r = self.client.get("/mailboxes/")
        self.assertContains(r, 'data-label="Known since"')
        self.assertNotContains(r, "Front desk")

        form = {"column": ["note", "nonsense"], "q": "anna", "sort": "-added"}
        r = self.client.post("/mailboxes/columns/", form)
        self.assertRedirects(r, "/mailboxes/?q=anna&sort=-added")
        self.client.logout()
        self.client.force_login(self.olga)
        r = self.client.get("/mailboxes/")
        self.assertContains(r, "Front desk")
        self.assertNotContains(r, 'data-label="Known since"')
        self.client.force_login(self.adam)
        self.assertNotContains(self.client.get("/mailboxes/"), "Front desk")

    def test_no_column_at_all_can_be_chosen(self) -> None:
        self.client.post("/mailboxes/columns/", {})
        r = self.client.get("/mailboxes/")
        self.assertContains(r, "anna@example.org")
        self.assertNotContains(r, 'data-label="Recovery"')

    def test_tags_have_a_column_as_soon_as_there_are_any(self) -> None:
        self.assertNotContains(self.client.get("/mailboxes/"), 'data-label="Tags"')
        Mailbox.objects.filter(address="anna@example.org").update(tags=["sales"])
        self.assertContains(self.client.get("/mailboxes/"), 'data-label="Tags"')

    @pytest.mark.slow
    def test_more_rows_take_no_more_queries(self) -> None:
        every = "?" + "&".join(f"{name}={value}" for name, value in EVERY_FILTER)
        few = [
            self.queries(""),
            self.queries("?domain=example.org"),
            self.queries(every),
        ]
        Mailbox.objects.bulk_create(
            Mailbox(address=f"m{n:04}@example.org", domain="example.org", tags=["a"])
            for n in range(1000)
        )
        many = [
            self.queries("?page=20"),
            self.queries("?domain=example.org"),
            self.queries(every),
        ]
        self.assertEqual(many, few)
        self.assertLess(max(many), 18)

    def queries(self, query: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            self.client.get(f"/mailboxes/{query}")
        return len(queries)
