from __future__ import annotations

import pytest
from django.core.cache import cache
from django.utils import timezone
from django.utils.html import strip_tags

from purelymanage.accounts.models import User
from purelymanage.domains.models import Domain
from purelymanage.mailboxes.models import Mailbox
from purelymanage.routing.models import Rewrite, Rule
from purelymanage.routing.verdicts import keep_verdicts, verdicts_for
from tests.account import fill_account
from tests.cast import HTMX, CastTestCase

LIST = 21
# All of the account, its digest once more, and to keep what was found.
LOOK_AT_ALL = 11


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
        for name in ("example.org", "shop.example"):
            Domain.objects.create(name=name)
        add(1, "", "office@example.org", prefix=True, catchall=True)
        add(2, "sales", "anna@example.org", prefix=True)
        add(3, "salesde", "ben@elsewhere.example", prefix=True)
        add(4, "info", "anna@example.org", "fax@nowhere.example")
        add(5, "", "clara@shop.example", domain="shop.example", prefix=True)
        add(6, "odd", "info@example.org", prefix=True, catchall=True)
        for name in ("anna", "office"):
            address = f"{name}@example.org"
            Mailbox.objects.create(address=address, domain="example.org")

    def setUp(self) -> None:
        self.client.force_login(self.olga)

    def patterns(self, query: str = "") -> list[str]:
        r = self.client.get(f"/routing/{query}")
        return [rule.pattern for rule in r.context["page"]]

    def words(self, query: str = "") -> str:
        page = self.client.get(f"/routing/{query}", headers=HTMX).content.decode()
        return " ".join(strip_tags(page).split())

    def test_rules_stand_in_the_order_in_which_they_win(self) -> None:
        self.assertEqual(
            self.patterns("?domain=example.org&q=sales"),
            ["salesde*@example.org", "sales*@example.org"],
        )
        self.assertEqual(self.patterns()[0], "info@example.org")
        self.assertEqual(self.patterns()[-2:], ["*@example.org", "*@shop.example"])

    def test_each_kind_reads_as_a_sentence(self) -> None:
        words = self.words()
        for sentence in (
            "Mail to info@ goes to anna@example.org and fax@nowhere.example (outside).",
            "Mail to any address starting with sales goes to anna@example.org.",
            "Mail to any address without a mailbox goes to office@example.org.",
            "Mail to any address goes to clara@shop.example (no mailbox, and no rule "
            "sends it on).",
            "the custom rule odd*@example.org (catch-all) matches goes to "
            "info@example.org (another rule sends it on).",
        ):
            self.assertIn(sentence, words)

    def test_the_search_looks_at_both_sides(self) -> None:
        self.assertEqual(self.patterns("?q=ben@"), ["salesde*@example.org"])
        self.assertEqual(self.patterns("?q=fax@nowhere"), ["info@example.org"])
        self.assertEqual(self.patterns("?q=sales*@"), ["sales*@example.org"])

    def test_a_whole_address_finds_the_rules_that_are_about_it(self) -> None:
        self.assertEqual(
            self.patterns("?q=SalesDE7@example.org"),
            ["salesde*@example.org", "sales*@example.org", "*@example.org"],
        )

    @pytest.mark.slow
    def test_it_is_filtered_by_kind_and_by_warning(self) -> None:
        self.assertEqual(self.patterns("?kind=catch_all"), ["*@example.org"])
        self.assertEqual(self.patterns("?kind=custom"), ["odd*@example.org"])
        self.assertEqual(self.patterns("?warning=missing_target"), ["*@shop.example"])
        warned = ["odd*@example.org", "*@shop.example"]
        self.assertEqual(self.patterns("?warning=any"), warned)
        self.assertEqual(len(self.patterns("?warning=nonsense&kind=nonsense")), 6)

    def test_it_warns_of_a_rule_that_takes_the_mail_of_a_mailbox(self) -> None:
        Mailbox.objects.create(address="info@example.org", domain="example.org")
        words = self.words()
        self.assertIn("Takes mail from info@", words)
        self.assertIn("info@example.org is a mailbox, but this rule takes all", words)
        self.assertIn("Keep a copy", words)
        Rule.objects.filter(remote_id=4).update(targets=["info@example.org"])
        self.assertNotIn("Takes mail from", self.words())

    def test_targets_say_what_they_are(self) -> None:
        r = self.client.get("/routing/?q=info@")
        self.assertContains(r, '<a href="/mailboxes/anna@example.org/">')
        self.assertNotContains(r, "/mailboxes/fax@nowhere.example/")
        self.assertContains(self.client.get("/routing/?q=odd"), 'href="/routing/4/"')

    def test_limited_people_see_the_rules_of_their_domains(self) -> None:
        self.client.force_login(self.lina)
        self.assertEqual(self.patterns(), ["*@shop.example"])

    def test_htmx_gets_the_list_alone(self) -> None:
        r = self.client.get("/routing/", headers=HTMX)
        self.assertTemplateNotUsed(r, "base.html")
        self.assertContains(r, 'id="rule-list"')

    def test_no_match_offers_to_clear_the_filters(self) -> None:
        self.assertIn("Clear the filters", self.words("?q=nowhere.org"))

    def test_only_who_may_is_offered_to_change_rules(self) -> None:
        self.assertContains(self.client.get("/routing/"), "/routing/4/edit/")
        self.client.force_login(self.audrey)
        r = self.client.get("/routing/")
        self.assertNotContains(r, "/edit/")
        self.assertNotContains(r, "New rule")

    def test_what_is_under_way_is_told(self) -> None:
        Rewrite.objects.create(
            old_id=4,
            domain="example.org",
            old={"domain": "example.org", "match_user": "info", "prefix": False},
            new={},
            requested_by=self.adam,
        )
        words = self.words()
        self.assertIn("The rule for info@example.org is under way.", words)
        self.assertIn("Being replaced", words)
        self.client.force_login(self.lina)
        self.assertNotIn("under way", self.words())


class ManyRulesTests(CastTestCase):
    @pytest.mark.slow
    def test_a_thousand_rules_take_as_many_queries_as_ten(self) -> None:
        self.client.force_login(self.olga)
        fill_account(rows=10)
        self.client.get("/routing/")
        with self.assertNumQueries(LIST):
            self.client.get("/routing/")
        fill_account(rows=990, domain="big.example")
        with self.assertNumQueries(LIST + LOOK_AT_ALL):
            self.client.get("/routing/")
        with self.assertNumQueries(LIST):
            self.client.get("/routing/?page=3")


class VerdictTests(CastTestCase):
    """What is kept is never older than what it follows from."""

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        for name in ("example.org", "shop.example"):
            Domain.objects.create(name=name)
        add(1, "info", "anna@example.org")
        add(2, "sales", "info@example.org")

    def setUp(self) -> None:
        cache.clear()
        keep_verdicts()

    def warned(self, user: User) -> list[int]:
        return list(verdicts_for(user).of(()))

    def test_it_is_looked_at_once_for_all_who_see_the_same(self) -> None:
        for person in (self.olga, self.audrey):
            # Three for the digest, and one for what is kept.
            with self.assertNumQueries(4):
                self.assertEqual(self.warned(person), [1])

    def test_a_change_of_whatever_it_follows_from_is_seen_at_once(self) -> None:
        Mailbox.objects.create(address="anna@example.org", domain="example.org")
        self.assertEqual(self.warned(self.olga), [])
        Rule.objects.filter(remote_id=2).update(targets=["sales+x@example.org", "x"])
        self.assertEqual(self.warned(self.olga), [2])
        Rule.objects.filter(remote_id=2).update(targets=["anna+x@example.org"])
        self.assertEqual(self.warned(self.olga), [])
        own = Domain.objects.filter(name="example.org")
        own.update(symbolic_subaddressing=False)
        self.assertEqual(self.warned(self.olga), [2])
        Rule.objects.filter(remote_id=2).update(gone_at=timezone.now())
        self.assertEqual(self.warned(self.olga), [])

    def test_what_limited_people_see_is_kept_apart(self) -> None:
        add(3, "up", "nobody@shop.example", domain="shop.example")
        add(4, "on", "nobody@example.org", domain="shop.example")
        self.assertEqual(self.warned(self.olga), [1, 4, 3])
        self.assertEqual(self.warned(self.lina), [3])
        self.assertEqual(self.warned(self.olga), [1, 4, 3])
