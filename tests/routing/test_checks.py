from __future__ import annotations

from unittest import TestCase

import pytest
from hypothesis import given, settings

from purelymanage.routing.model.accounts import Account
from purelymanage.routing.model.checks import check_rule, receives
from purelymanage.routing.model.findings import Check, Finding
from purelymanage.routing.model.following import follow
from purelymanage.routing.model.rules import Rule
from purelymanage.routing.model.warnings import warnings
from tests.effort import calls_of
from tests.routing.configurations import Configuration, configurations
from tests.routing.rules import account, rule

ANNA, BEN = "anna@example.org", "ben@example.org"
BOXES = f"{ANNA} {BEN}"
ORG = "example.org"


class CheckTests(TestCase):
    def checks(
        self, there: Account, new: Rule, replaced: Rule | None = None
    ) -> list[str]:
        return [str(it.check) for it in check_rule(there, new, replaced=replaced)]

    def only(self, there: Account, new: Rule, check: Check) -> Finding:
        found = [it for it in check_rule(there, new) if it.check == check]
        self.assertEqual(len(found), 1, found)
        return found[0]

    def test_nothing_is_said_of_a_plain_rule(self) -> None:
        there = account(boxes=BOXES)
        self.assertEqual(self.checks(there, rule("sales@example.org", ANNA)), [])

    def test_it_takes_mail_from_a_mailbox(self) -> None:
        there = account(boxes=BOXES)
        found = self.only(there, rule(BEN, ANNA), Check.TAKES_MAIL)
        self.assertIn("ben@example.org is a mailbox, but this rule takes", found.title)
        self.assertEqual(found.copies, (BEN,))
        self.assertEqual(self.checks(there, rule(BEN, ANNA, BEN)), [])

    def test_so_does_a_beginning(self) -> None:
        there = account(boxes=f"{BOXES} bea@example.org")
        found = self.only(there, rule("be*@example.org", ANNA), Check.TAKES_MAIL)
        self.assertEqual(found.addresses, ("bea@example.org", BEN))
        self.assertIn("bea@example.org and ben@example.org", found.title)

    def test_a_mailbox_that_got_nothing_before_loses_nothing(self) -> None:
        there = account(rule(BEN, ANNA), boxes=BOXES)
        self.assertEqual(
            self.checks(there, rule("be*@example.org", ANNA)), ["shadowed"]
        )

    def test_any_address_silences_a_domain(self) -> None:
        there = account(rule(ANNA, ANNA, BEN), boxes=f"{BOXES} cleo@example.org")
        new = rule("*@example.org", "x@far.example")
        found = self.only(there, new, Check.SILENCES_DOMAIN)
        names = "ben@example.org and cleo@example.org"
        self.assertEqual(found.title, f"2 mailboxes of {ORG} get no mail: {names}.")
        self.assertEqual(found.confirm, ORG)
        spares = rule("*@example.org", ANNA, catchall=True)
        self.assertEqual(self.checks(there, spares), ["shadowed"])

    def test_it_comes_before_and_after_others(self) -> None:
        every = rule("*@example.org", ANNA, catchall=True)
        exact, longer = rule("sales@example.org", ANNA), rule("sale*@example.org", ANNA)
        other = rule("sal*@shop.example", ANNA)
        there = account(every, exact, longer, other, boxes=BOXES)
        new = rule("sal*@example.org", BEN)
        found = self.only(there, new, Check.SHADOWED)
        self.assertEqual(found.others, (exact, longer))
        self.assertEqual(self.only(there, new, Check.SHADOWS).others, (every,))
        new = rule("sale@example.org", BEN)
        self.assertEqual(self.only(there, new, Check.SHADOWS).others, (every, longer))

    def test_it_would_close_a_circle(self) -> None:
        there = account(
            rule("b@example.org", "c@example.org"),
            rule("c*@example.org", "a@example.org", ANNA),
            boxes=BOXES,
        )
        found = self.only(
            there, rule("a@example.org", BEN, "b@example.org"), Check.CIRCLE
        )
        self.assertIn(
            "b@example.org → c@example.org → a@example.org → b@example.org", found.title
        )

    def test_circles_of_others_are_not_its_own(self) -> None:
        there = account(
            rule("b@example.org", "c@example.org"),
            rule("c@example.org", "b@example.org"),
        )
        self.assertEqual(self.checks(there, rule("a@example.org", "b@example.org")), [])

    def test_what_is_there_already_is_not_created_again(self) -> None:
        old = rule("sales@example.org", ANNA, BEN, id=4)
        there = account(old, boxes=BOXES)
        again = rule("sales@example.org", BEN, ANNA)
        found = self.only(there, again, Check.DUPLICATE)
        self.assertTrue(found.blocks)
        self.assertEqual(found.others, (old,))

    def test_two_rules_for_the_same_clash(self) -> None:
        old = rule("sales@example.org", ANNA, id=4)
        there = account(old, boxes=BOXES)
        new = rule("sales@example.org", BEN)
        found = self.only(there, new, Check.CLASH)
        self.assertIn("There is a rule for sales@example.org already", found.title)
        self.assertEqual(self.checks(there, new, replaced=old), [])

    def test_so_do_the_two_kinds_of_any(self) -> None:
        there = account(rule("*@example.org", ANNA, catchall=True), boxes=BOXES)
        found = self.only(there, rule("*@example.org", BEN), Check.CLASH)
        self.assertIn("any address without a mailbox already", found.title)
        self.assertIn("one of the two kinds", found.text)

    def test_targets_have_to_be_somewhere(self) -> None:
        there = account(rule("alias@example.org", ANNA), boxes=BOXES)
        new = rule("a@example.org", "nobody@example.org", "alias@example.org", BEN)
        found = self.only(there, new, Check.MISSING_TARGET)
        self.assertIn("nobody@example.org is no mailbox", found.title)

    def test_a_rule_that_names_what_is_not_there_does_not_make_it_exist(self) -> None:
        new = rule("sales*@example.org", "sales@example.org", ANNA)
        self.only(account(boxes=BOXES), new, Check.MISSING_TARGET)

    def test_targets_elsewhere_are_pointed_out(self) -> None:
        there = account(veiled="secret.example")
        new = rule("a@example.org", "x@far.example", "x@secret.example")
        self.assertEqual(self.checks(there, new), ["outside", "veiled"])

    def test_symbols_are_cut_off_before_the_rules(self) -> None:
        there = account(boxes=BOXES)
        new = rule("first.last@example.org", ANNA)
        found = self.only(there, new, Check.NEVER_APPLIES)
        self.assertIn("is read as first@example.org", found.text)
        self.assertEqual(
            self.checks(there, rule("sales-*@example.org", ANNA)), [found.check]
        )
        self.assertEqual(self.checks(there, rule("a.b@shop.example", ANNA)), [])

    def test_combinations_that_the_portal_does_not_offer(self) -> None:
        there = account(boxes=BOXES)
        odd = rule(BEN, ANNA, catchall=True)
        self.assertEqual(self.checks(there, odd), ["never_applies", "custom"])
        nameless = rule("@shop.example", ANNA)
        self.assertEqual(self.checks(there, nameless), ["never_applies", "custom"])

    def test_what_purelymail_would_swallow_is_refused(self) -> None:
        there = account(boxes=BOXES)
        many = [f"x{n}@far.example" for n in range(51)]
        for new, check in (
            (rule("a@nowhere.example", ANNA), "not_our_domain"),
            (rule("a@b@example.org", ANNA), "bad_name"),
            (rule("a b@example.org", ANNA), "bad_name"),
            (rule("a@example.org"), "no_targets"),
            (rule("a@example.org", "anna"), "bad_target"),
            (rule("a@example.org", *many), "too_many_targets"),
        ):
            found = check_rule(there, new)
            self.assertEqual(found[0].check.value, check)
            self.assertTrue(found[0].blocks)


class WarningTests(TestCase):
    def test_a_list_is_warned_of_what_is_wrong(self) -> None:
        fine = rule("sales@example.org", ANNA, id=1)
        taking = rule(BEN, ANNA, id=2)
        missing = rule("m@example.org", "gone@example.org", id=3)
        dashed = rule("a-b@example.org", ANNA, id=4)
        one = rule("o@example.org", "t@example.org", id=5)
        two = rule("t@example.org", "o@example.org", ANNA, id=6)
        into = rule("i@example.org", "o@example.org", id=7)
        every = rule("*@shop.example", ANNA, id=8)
        there = account(
            *(fine, taking, missing, dashed, one, two, into, every),
            boxes=f"{BOXES} box@shop.example",
        )
        found = {
            it.id: [f.check.value for f in all_] for it, all_ in warnings(there).items()
        }
        self.assertEqual(
            found,
            {
                2: ["takes_mail"],
                3: ["missing_target"],
                4: ["never_applies"],
                5: ["circle"],
                6: ["circle"],
                8: ["silences_domain"],
            },
        )

    def test_what_was_warned_of_happens(self) -> None:
        @settings(max_examples=100, deadline=None)
        @given(configurations())
        def check(configuration: Configuration) -> None:
            there = configuration.account
            found = warnings(there)
            for mailbox in there.mailboxes:
                silent = any(
                    finding.check in (Check.TAKES_MAIL, Check.SILENCES_DOMAIN)
                    and mailbox in finding.addresses
                    for findings in found.values()
                    for finding in findings
                )
                self.assertEqual(silent, not receives(there, mailbox))
            for circle in circles(there):
                turning = [there.look_at(it).rule for it in circle]
                for each in turning:
                    assert each
                    checks = [it.check for it in found[each]]
                    self.assertIn(Check.CIRCLE, checks)

        check()

    @pytest.mark.slow
    def test_four_times_the_rules_are_four_times_the_work(self) -> None:
        # A little more, as their names are longer.
        self.assertLess(self.effort(1_000), 4.5 * self.effort(250))

    def effort(self, number: int) -> int:
        rules = [
            rule(
                f"alias{n}*@example.org",
                f"box{n}@example.org",
                f"alias{n + 1}@example.org",
            )
            for n in range(number)
        ]
        boxes = " ".join(f"box{n}@example.org" for n in range(number))
        return calls_of(lambda: warnings(account(*rules, boxes=boxes)))


def circles(there: Account) -> list[tuple[str, ...]]:
    targets = {target for each in there.rules for target in each.targets}
    return [it for target in targets for it in follow(there, target).circles]
