from __future__ import annotations

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.routing.models import Rule
from tests.account import fill_account
from tests.cast import CastTestCase

URL = "/routing/1/"


class RuleDetailTests(CastTestCase):
    def setUp(self) -> None:
        fill_account()
        self.client.force_login(self.olga)

    def test_it_says_what_the_rule_does(self) -> None:
        r = self.client.get(URL)
        self.assertContains(r, "alias0@")
        self.assertContains(r, "box0@example.org")
        self.assertContains(r, "Exact address")

    def test_it_tells_its_history(self) -> None:
        rule = Rule.objects.get(remote_id=1)
        log.record(
            Event.RULE_APPEARED,
            actor=self.adam,
            target=rule.pattern,
            destinations="box0@example.org",
        )
        self.assertContains(self.client.get(URL), "added the rule alias0@example.org")
