from __future__ import annotations

from django.core.cache import cache

from purelymanage.mailboxes.models import Mailbox
from purelymanage.routing.models import Rule
from tests.cast import CastTestCase

ADDRESS = "info@shop.example"
URL = f"/mailboxes/{ADDRESS}/"


class RulesOfMailboxTests(CastTestCase):
    def setUp(self) -> None:
        cache.clear()
        Mailbox.objects.create(address=ADDRESS, domain="shop.example")
        self.client.force_login(self.lina)

    def add(self, match_user: str, *targets: str, **fields: object) -> Rule:
        defaults = {"domain": "shop.example", "prefix": False, "catchall": False}
        return Rule.objects.create(
            remote_id=Rule.objects.count() + 1,
            match_user=match_user,
            targets=list(targets),
            **(defaults | fields),
        )

    def test_what_delivers_to_it_is_listed(self) -> None:
        self.add("sales", "Info@shop.example", "else@shop.example")
        self.add("other", "moreinfo@shop.example")
        r = self.client.get(URL)
        self.assertContains(r, "</strong> itself.")
        self.assertContains(r, "<strong>sales@</strong>")
        self.assertNotContains(r, "<strong>other@</strong>")

    def test_what_takes_its_mail_is_told(self) -> None:
        self.add("", "away@else.example", prefix=True)
        r = self.client.get(URL)
        self.assertContains(r, "Takes the mail of this mailbox")
        self.assertContains(r, "so this mailbox receives none")
        self.assertNotContains(r, "</strong> itself.")

    def test_a_rule_that_keeps_a_copy_takes_nothing(self) -> None:
        self.add("info", ADDRESS, "away@else.example")
        self.assertNotContains(self.client.get(URL), "Takes the mail")

    def test_rules_of_foreign_domains_are_not_shown(self) -> None:
        self.add("sales", ADDRESS, domain="example.org")
        self.assertNotContains(self.client.get(URL), "<strong>sales@</strong>")
        self.client.force_login(self.adam)
        self.assertContains(self.client.get(URL), "<strong>sales@</strong>")

    def test_helpers_see_that_mail_is_taken_and_no_rules(self) -> None:
        self.add("info", "away@else.example")
        self.client.force_login(self.hedy)
        r = self.client.get(URL)
        self.assertContains(r, "somewhere else")
        self.assertNotContains(r, "away@else.example")
