from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.http import QueryDict
from django.test import SimpleTestCase
from django.utils import timezone

from purelymanage.deletions.models import Kind
from purelymanage.mailboxes.filters import LONGEST_SEARCH, MailboxFilter
from purelymanage.mailboxes.models import Creation, Mailbox
from tests.account import add_deletion
from tests.cast import CastTestCase


class MailboxFilterTests(CastTestCase):
    """Each mailbox is what its name says, and nothing else."""

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.add("plain")
        cls.add("secured", two_factor=True)
        cls.add("bare", recovery_methods=[])
        cls.add("locked", reset_allowed=False)
        cls.add("unread", details_at=None, recovery_methods=[], reset_allowed=None)
        cls.add("suspended", suspended_at=timezone.now())
        cls.add("gone", gone_at=timezone.now() - timedelta(days=3))
        cls.add("doomed")
        cls.add("noted", note="Leaves at 50%_of the year")
        cls.add("tagged", tags=["sales", "berlin"])
        cls.add("half", tags=["sales"])
        cls.add("shop", domain="shop.example")
        cls.add("elsewhere")
        Creation.objects.filter(address="elsewhere@example.org").update(state="failed")
        add_deletion(cls.olga, "doomed@example.org")

    @classmethod
    def add(cls, name: str, *, domain: str = "example.org", **fields: object) -> None:
        usual: dict[str, object] = {
            "two_factor": False,
            "reset_allowed": True,
            "details_at": timezone.now(),
            "recovery_methods": [{"type": "email", "target": "x@home.example"}],
        }
        address = f"{name}@{domain}"
        Mailbox.objects.create(address=address, domain=domain, **(usual | fields))
        Creation.objects.create(address=address, state=Creation.State.DONE)

    def setUp(self) -> None:
        self.client.force_login(self.olga)

    def found(self, query: str) -> set[str]:
        r = self.client.get(f"/mailboxes/?{query}")
        return {mailbox.local_part for mailbox in r.context["rows"]}

    @pytest.mark.slow
    def test_each_filter_finds_its_own(self) -> None:
        for query, names in (
            ("two_factor=on", {"secured"}),
            ("recovery=none", {"bare"}),
            ("reset=off", {"locked"}),
            ("details=unread", {"unread"}),
            ("suspended=yes", {"suspended"}),
            ("gone=yes", {"gone"}),
            ("deletion=pending", {"doomed"}),
            ("made=elsewhere", {"elsewhere"}),
            ("tag=sales", {"tagged", "half"}),
            ("tag=sales&tag=berlin", {"tagged"}),
            ("domain=shop.example", {"shop"}),
            ("q=leaves", {"noted"}),
            ("q=50%25_of", {"noted"}),
            ("q=berl", {"tagged"}),
            ("q=TAGGED+sales+example", {"tagged"}),
            ("tag=sales&q=half", {"half"}),
            ("tag=sales&two_factor=on", set()),
        ):
            with self.subTest(query=query):
                self.assertEqual(self.found(query), names)

    def test_gone_ones_appear_only_on_demand(self) -> None:
        self.assertNotIn("gone", self.found(""))
        self.assertNotIn("gone", self.found("q=gone"))
        self.assertEqual(self.found("gone=yes&suspended=yes"), set())

    def test_the_deletion_of_a_domain_counts(self) -> None:
        deletion = add_deletion(self.olga, "x@shop.example")
        deletion.kind, deletion.key = Kind.DOMAIN, "shop.example"
        deletion.save()
        self.assertEqual(self.found("deletion=pending"), {"doomed", "shop"})

    def test_nonsense_asks_for_nothing(self) -> None:
        everything = self.found("")
        for query in ("two_factor=maybe", "gone=1", "tag=", "sort=x&page=-3"):
            with self.subTest(query=query):
                self.assertEqual(self.found(query), everything)
        self.assertEqual(self.found("tag=%00nobody&q=%00"), set())

    def test_each_filter_can_be_taken_away(self) -> None:
        query = "q=a&domain=example.org&two_factor=off&tag=sales&tag=berlin&sort=-added"
        r = self.client.get(f"/mailboxes/?{query}")
        page = r.content.decode()
        links = re.findall(r'class="chip" href="([^"]*)"', page)
        self.assertEqual(len(links), 5)
        self.assertIn("/mailboxes/?domain=example.org&amp;two_factor=off", links[0])
        self.assertTrue(all("sort=-added" in link for link in links))
        self.assertTrue(links[3].count("tag=") == links[4].count("tag=") == 1)
        self.assertContains(r, "Clear all")

    def test_the_form_shows_what_is_asked_for(self) -> None:
        r = self.client.get("/mailboxes/?reset=off&tag=sales&two_factor=off")
        for control in ('name="reset" value="off"', 'name="tag" value="sales"'):
            self.assertContains(r, f"{control} checked")
        self.assertContains(r, '<option value="off" selected>')

    def test_limited_people_find_in_their_domains_only(self) -> None:
        self.client.force_login(self.lina)
        for query in ("tag=sales", "q=leaves", "gone=yes", "deletion=pending"):
            with self.subTest(query=query):
                self.assertEqual(self.found(query), set())
        self.assertNotContains(self.client.get("/mailboxes/"), "berlin")


class AddressTests(SimpleTestCase):
    def read(self, query: str) -> MailboxFilter:
        return MailboxFilter.read(QueryDict(query))

    def test_it_says_the_same_again(self) -> None:
        query = "q=a+b&two_factor=on&gone=yes&tag=x&tag=y"
        self.assertEqual(self.read(query).query, query)
        self.assertEqual(self.read(self.read(query).query), self.read(query))

    def test_what_is_empty_is_left_out(self) -> None:
        self.assertFalse(self.read("q=&domain=&two_factor=&page=3&sort=added"))

    def test_a_search_has_an_end(self) -> None:
        self.assertEqual(len(self.read("q=" + "a" * 5000).words), LONGEST_SEARCH)

    def test_the_audit_log_gets_words(self) -> None:
        said = self.read("q=a&reset=off&tag=x").in_words()
        self.assertEqual(said, "“a”, Owner may not reset, Tag x")
        self.assertEqual(self.read("").in_words(), "all of them")
