from __future__ import annotations

from django.utils.html import strip_tags

from purelymanage.mailboxes.models import Mailbox
from purelymanage.routing.models import Rule
from tests.cast import HTMX, CastTestCase


def add(
    number: int,
    match_user: str,
    *targets: str,
    domain: str = "example.org",
    prefix: bool = False,
    catchall: bool = False,
) -> None:
    Rule.objects.create(
        remote_id=number,
        domain=domain,
        match_user=match_user,
        prefix=prefix,
        catchall=catchall,
        targets=list(targets),
    )


class RuleListTests(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        add(1, "", "office@example.org", prefix=True, catchall=True)
        add(2, "sales", "anna@example.org", prefix=True)
        add(3, "sales-de", "ben@example.org", prefix=True)
        add(4, "info", "anna@example.org", "ben@example.org")
        add(5, "", "clara@shop.example", domain="shop.example", prefix=True)
        add(6, "odd", "anna@example.org", prefix=True, catchall=True)
        Mailbox.objects.create(address="anna@example.org", domain="example.org")

    def setUp(self) -> None:
        self.client.force_login(self.olga)

    def patterns(self, query: str = "") -> list[str]:
        r = self.client.get(f"/routing/{query}")
        return [rule.pattern for rule in r.context["page"]]

    def words(self, query: str = "") -> str:
        page = self.client.get(f"/routing/{query}").content.decode()
        return " ".join(strip_tags(page).split())

    def test_rules_stand_in_the_order_in_which_they_win(self) -> None:
        self.assertEqual(
            self.patterns("?domain=example.org&q=sales"),
            ["sales-de*@example.org", "sales*@example.org"],
        )
        self.assertEqual(self.patterns()[0], "info@example.org")
        self.assertEqual(self.patterns()[-2:], ["*@example.org", "*@shop.example"])

    def test_each_kind_reads_as_a_sentence(self) -> None:
        words = self.words()
        for sentence in (
            "Mail to info@ goes to anna@example.org and ben@example.org.",
            "Mail to any address starting with sales goes to anna@example.org.",
            "Mail to any address without a mailbox goes to office@example.org.",
            "Mail to any address goes to clara@shop.example.",
            "the custom rule odd*@example.org (catch-all) matches goes to",
        ):
            self.assertIn(sentence, words)

    def test_the_search_looks_at_both_sides(self) -> None:
        self.assertEqual(
            self.patterns("?q=ben@"), ["info@example.org", "sales-de*@example.org"]
        )
        self.assertEqual(self.patterns("?q=info@example"), ["info@example.org"])
        self.assertEqual(self.patterns("?q=sales*@"), ["sales*@example.org"])

    def test_it_warns_of_a_rule_that_takes_the_mail_of_a_mailbox(self) -> None:
        Mailbox.objects.create(address="info@example.org", domain="example.org")
        self.assertIn("Takes mail from the mailbox info@", self.words())
        Rule.objects.filter(remote_id=4).update(targets=["info@example.org"])
        self.assertNotIn("Takes mail from", self.words())

    def test_targets_that_are_mailboxes_are_links(self) -> None:
        r = self.client.get("/routing/?q=info@")
        self.assertContains(r, '<a href="/mailboxes/anna@example.org/">')
        self.assertNotContains(r, "/mailboxes/ben@example.org/")

    def test_limited_people_see_the_rules_of_their_domains(self) -> None:
        self.client.force_login(self.lina)
        self.assertEqual(self.patterns(), ["*@shop.example"])

    def test_htmx_gets_the_list_alone(self) -> None:
        r = self.client.get("/routing/", headers=HTMX)
        self.assertTemplateNotUsed(r, "base.html")
        self.assertContains(r, 'id="rule-list"')

    def test_no_match_offers_to_clear_the_filters(self) -> None:
        self.assertIn("Clear the filters", self.words("?q=nowhere"))
