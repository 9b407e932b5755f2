from __future__ import annotations

from purelymanage.mailboxes.hints import takers
from purelymanage.routing.models import Rule
from tests.cast import CastTestCase

ADDRESS = "sales-eu@shop.example"


class TakersTests(CastTestCase):
    def add(
        self,
        match_user: str,
        *targets: str,
        prefix: bool = False,
        catchall: bool = False,
        domain: str = "shop.example",
    ) -> Rule:
        return Rule.objects.create(
            remote_id=Rule.objects.count() + 1,
            domain=domain,
            match_user=match_user,
            prefix=prefix,
            catchall=catchall,
            targets=list(targets) or ["anna@shop.example"],
        )

    def sentence(self) -> str:
        return " ".join(takers(ADDRESS, self.adam))

    def test_an_exact_rule_takes_the_mail(self) -> None:
        self.add("Sales-EU", "anna@shop.example", "ben@shop.example")
        self.assertIn("rule for sales-eu@shop.example sends", self.sentence())
        self.assertIn("to anna@shop.example and ben@shop.example,", self.sentence())

    def test_so_does_a_prefix(self) -> None:
        self.add("sales-", prefix=True)
        self.assertIn("addresses that start with sales-", self.sentence())

    def test_so_does_a_rule_for_any_address(self) -> None:
        self.add("", prefix=True)
        self.assertIn("for any address at shop.example", self.sentence())

    def test_a_catch_all_spares_mailboxes(self) -> None:
        self.add("", prefix=True, catchall=True)
        self.assertEqual(self.sentence(), "")

    def test_the_strongest_rule_decides(self) -> None:
        self.add("", prefix=True)
        self.add("sales", prefix=True)
        self.assertIn("start with sales", self.sentence())
        self.add("sales-eu", "Sales-EU@shop.example", "anna@shop.example")
        self.assertEqual(self.sentence(), "")

    def test_other_rules_do_not_matter(self) -> None:
        self.add("sales")
        self.add("salesman", prefix=True)
        self.add("sales-eu", domain="example.org")
        gone = self.add("sales-eu")
        gone.gone_at = gone.first_seen_at
        gone.save()
        self.assertEqual(self.sentence(), "")

    def test_who_sees_no_rules_is_not_told_where_the_mail_goes(self) -> None:
        self.add("sales-eu")
        [sentence] = takers(ADDRESS, self.hedy)
        self.assertIn("somewhere else", sentence)
        self.assertNotIn("anna", sentence)
