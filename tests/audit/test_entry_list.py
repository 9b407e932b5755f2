from __future__ import annotations

from django.db import transaction

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent
from tests.cast import HTMX, CastTestCase


class EntryListTests(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        with transaction.atomic():
            log.record(Event.MAILBOX_CREATED, actor=cls.adam, target="anna@example.org")
            log.record(
                Event.MAILBOX_VANISHED, actor=Agent.OUTSIDE, target="ben@shop.example"
            )

    def setUp(self) -> None:
        self.client.force_login(self.audrey)

    def test_it_tells_who_did_what_newest_first(self) -> None:
        r = self.client.get("/audit/")
        self.assertContains(r, "Somebody outside this panel")
        self.assertContains(r, "removed the mailbox ben@shop.example")
        said = r.content.decode()
        self.assertLess(said.index("ben@shop.example"), said.index("anna@example.org"))

    def test_the_search_looks_at_people_targets_and_actions(self) -> None:
        for words in ("adam", "anna@", "mailbox.created", "ADAM anna"):
            with self.subTest(words=words):
                r = self.client.get("/audit/", {"q": words}, headers=HTMX)
                self.assertContains(r, "created the mailbox anna@example.org")
                self.assertNotContains(r, "ben@shop.example")

    def test_no_match_offers_to_clear_the_search(self) -> None:
        self.assertContains(self.client.get("/audit/?q=nobody"), "Clear the search")

    def test_limited_people_see_what_is_about_their_domains(self) -> None:
        self.client.force_login(self.lina)
        r = self.client.get("/audit/")
        self.assertContains(r, "ben@shop.example")
        self.assertNotContains(r, "anna@example.org")
