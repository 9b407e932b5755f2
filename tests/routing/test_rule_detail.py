from __future__ import annotations

from django.utils import timezone

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.deletions.models import Kind, PendingDeletion
from purelymanage.mailboxes.models import Mailbox
from purelymanage.routing.deletions import HANDLER
from purelymanage.routing.models import Rule
from tests.account import fill_account
from tests.cast import CastTestCase

URL = "/routing/1/"


class RuleDetailTests(CastTestCase):
    def setUp(self) -> None:
        fill_account()
        self.rule = Rule.objects.get(remote_id=1)
        self.client.force_login(self.olga)

    def test_it_says_what_the_rule_does(self) -> None:
        r = self.client.get(URL)
        self.assertContains(r, "alias0@example.org")
        self.assertContains(r, "box0@example.org")
        self.assertContains(r, "Exact address")
        self.assertContains(r, "Somebody outside this panel")
        self.assertContains(r, "/routing/simulator/?address=alias0%40example.org")

    def test_it_says_what_is_wrong_with_it(self) -> None:
        Mailbox.objects.create(address="alias0@example.org", domain="example.org")
        Mailbox.objects.filter(address="box0@example.org").delete()
        r = self.client.get(URL)
        self.assertContains(r, "this rule takes all of its mail")
        self.assertContains(r, "No mailbox, no rule")

    def test_it_tells_its_history(self) -> None:
        log.record(
            Event.RULE_APPEARED,
            actor=self.adam,
            target=self.rule.pattern,
            destinations="box0@example.org",
        )
        self.assertContains(self.client.get(URL), "added the rule alias0@example.org")

    def test_who_only_looks_is_offered_nothing(self) -> None:
        self.client.force_login(self.audrey)
        r = self.client.get(URL)
        for words in ("/edit/", "/note/", "/expiry/", "/deletions/new/"):
            self.assertNotContains(r, words)

    def test_a_rule_that_is_gone_can_begin_a_new_one(self) -> None:
        Rule.objects.update(gone_at=timezone.now())
        r = self.client.get(URL)
        self.assertNotContains(r, "/edit/")
        self.assertContains(r, "A new rule can begin with what it did.")
        r = self.client.get(f"/routing/new/?{r.context['again']}")
        self.assertContains(r, 'value="alias0"')
        self.assertContains(r, "box0@example.org")

    def test_one_that_was_deleted_here_can_be_created_again(self) -> None:
        now = timezone.now()
        Rule.objects.update(gone_at=now, note="Keep me", made_by=self.adam)
        deletion = PendingDeletion.objects.create(
            kind=Kind.RULE,
            key="1",
            label="alias0@example.org",
            domain="example.org",
            state=PendingDeletion.State.DELETED,
            restore={},
            requested_by=self.adam,
            waits_since=now,
            delete_after=now,
            settled_at=now,
        )
        again = f"/deletions/{deletion.pk}/create-again/"
        self.assertContains(self.client.get(URL), again)
        # What was kept of it comes back with it.
        fields = ("domain", "match_user", "prefix", "catchall", "targets")
        HANDLER.remember("99", {name: getattr(self.rule, name) for name in fields})
        rule = Rule.objects.get(remote_id=99)
        self.assertEqual((rule.note, rule.made_by), ("Keep me", self.adam))
