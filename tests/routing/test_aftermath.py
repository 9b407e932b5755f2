from __future__ import annotations

from django.test import SimpleTestCase

from purelymanage.routing.aftermath import lines, of_mailboxes
from purelymanage.routing.model.rules import Rule
from tests.routing.rules import account, rule

INFO = rule("info@example.org", "anna@example.org", id=1)
SALES = rule("sales*@example.org", "anna@example.org", id=2)
ANY = rule("*@example.org", "anna@example.org", id=3)
CATCH_ALL = rule("*@example.org", "ben@example.org", catchall=True, id=4)


class AftermathTests(SimpleTestCase):
    def said(self, end: Rule, *others: Rule, boxes: str = "anna@example.org") -> str:
        found = lines(account(end, *others, boxes=boxes), end)
        return "\n".join(
            f"{it.what} {it.more}. {it.note} {' '.join(name for name, _ in it.names)}"
            for it in found
        )

    def test_one_address_bounces(self) -> None:
        said = self.said(INFO)
        self.assertIn("Mail to info@example.org no longer goes to anna@", said)
        self.assertIn("It bounces unless a mailbox", said)

    def test_or_its_mailbox_gets_it(self) -> None:
        self.assertIn(
            "It is delivered to the mailbox info@example.org again.",
            self.said(INFO, boxes="info@example.org"),
        )
        copy = rule("info@example.org", "anna@example.org", "info@example.org", id=1)
        self.assertIn("It is still", self.said(copy, boxes="info@example.org"))

    def test_or_a_weaker_rule_takes_it_over(self) -> None:
        self.assertIn(
            "The rule for any address at example.org takes it over, to anna@",
            self.said(INFO, ANY),
        )
        # This kind leaves mailboxes alone.
        self.assertIn(
            "to the mailbox info@example.org again",
            self.said(INFO, CATCH_ALL, boxes="info@example.org"),
        )

    def test_mailboxes_that_were_silent_receive_again(self) -> None:
        boxes = "anna@example.org salesde@example.org salesfr@example.org"
        said = self.said(SALES, boxes=boxes)
        self.assertIn("2 mailboxes receive their mail again", said)
        self.assertIn("salesde@example.org salesfr@example.org", said)
        self.assertIn("It bounces, unless such an address has", said)
        self.assertNotIn("mailbox", self.said(CATCH_ALL).splitlines()[-1][:20])

    def test_the_rest_of_a_prefix_may_go_by_a_shorter_one(self) -> None:
        shorter = rule("sal*@example.org", "ben@example.org", id=5)
        longer = rule("sales0*@example.org", "ben@example.org", id=6)
        self.assertIn(
            "starting with sal at example.org takes it over",
            self.said(SALES, shorter, longer, ANY),
        )

    def test_rules_that_send_mail_through_it_are_named(self) -> None:
        team = rule("team@shop.example", "info@example.org", "x@y.example", id=7)
        said = self.said(INFO, team)
        self.assertIn("1 other rule sends mail on through it, whose mail bounces", said)
        self.assertIn("team@shop.example", said)
        self.assertIn("arrives elsewhere", self.said(INFO, team, ANY))

    def test_a_rule_that_never_applied_changes_nothing(self) -> None:
        never = rule("a-b@example.org", "anna@example.org", id=8)
        self.assertIn("this rule never applied", self.said(never))


class MailboxTests(SimpleTestCase):
    def said(self, *rules: Rule, boxes: str = "anna@example.org") -> str:
        found = of_mailboxes(account(*rules, boxes=boxes), ["anna@example.org"])[
            "anna@example.org"
        ]
        return "\n".join(f"{it.what} {it.more}. {it.note}" for it in found)

    def test_its_address_bounces_and_rules_for_it_lead_nowhere(self) -> None:
        said = self.said(INFO, SALES)
        self.assertIn("mail to its address bounces afterwards.", said)
        self.assertIn("2 rules point to it. They then lead nowhere.", said)

    def test_a_catch_all_takes_over_what_was_its(self) -> None:
        both = "anna@example.org ben@example.org"
        said = self.said(INFO, CATCH_ALL, boxes=both)
        self.assertIn("mail to its address goes elsewhere afterwards.", said)
        self.assertIn("takes it over, to ben@example.org.", said)
        self.assertIn("1 rule points to it. Its mail still arrives elsewhere.", said)

    def test_a_rule_may_name_others_or_a_tag_of_it(self) -> None:
        two = rule("all@example.org", "anna+x@example.org", "out@else.example", id=5)
        said = self.said(two, INFO)
        self.assertIn("2 rules point to it. 1 rule then leads nowhere.", said)

    def test_nothing_changes_for_an_address_that_a_rule_takes_already(self) -> None:
        self.assertEqual(self.said(rule("anna@example.org", "ben@else.example")), "")
