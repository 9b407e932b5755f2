from __future__ import annotations

import itertools
from unittest import TestCase

from purelymanage.routing import models
from purelymanage.routing.model.accounts import Account
from purelymanage.routing.model.following import End, Visit, follow
from purelymanage.routing.model.origins import origins
from purelymanage.routing.model.rules import Rule
from purelymanage.routing.model.unknowns import Doubt, unknowns
from purelymanage.routing.model.words import sentence
from tests.routing.rules import account, rule

ANNA, BEN = "anna@example.org", "ben@example.org"


def ends(there: Account, address: str) -> list[str]:
    return [f"{it.end}: {it.read_as}" for it in follow(there, address).visits if it.end]


class PrecedenceTests(TestCase):
    def start(self, *rules: Rule, address: str = "sales@example.org") -> Visit:
        return follow(account(*rules, boxes=f"{ANNA} {BEN}"), address).start

    def test_exact_beats_prefix_and_any_loses_to_all(self) -> None:
        exact, prefix = rule("sales@example.org", ANNA), rule("sal*@example.org", ANNA)
        longer, every = rule("sales*@example.org", ANNA), rule("*@example.org", ANNA)
        start = self.start(every, prefix, exact, longer)
        self.assertEqual(start.sight.rule, exact)
        self.assertEqual(start.sight.over, (longer, prefix, every))

    def test_a_rule_takes_the_mail_of_a_mailbox(self) -> None:
        there = account(rule(ANNA, BEN), boxes=f"{ANNA} {BEN}")
        walk = follow(there, ANNA)
        self.assertEqual(walk.mailboxes, [BEN])
        self.assertEqual(walk.passed_over, [ANNA])

    def test_a_catch_all_spares_mailboxes(self) -> None:
        every = rule("*@example.org", BEN, catchall=True)
        start = self.start(every, address=ANNA)
        self.assertEqual(start.end, End.MAILBOX)
        self.assertEqual(start.sight.spared, (every,))
        self.assertEqual(self.start(every).sight.rule, every)

    def test_what_the_portal_does_not_offer_spares_mailboxes_too(self) -> None:
        odd = rule(ANNA, BEN, catchall=True)
        self.assertEqual(self.start(odd, address=ANNA).end, End.MAILBOX)

    def test_kinds_are_called_as_the_mirror_calls_them(self) -> None:
        flags = (True, False)
        for name, prefix, catchall in itertools.product(("x", ""), flags, flags):
            row = models.Rule(domain="d", match_user=name, targets=[])
            row.prefix, row.catchall = prefix, catchall
            self.assertEqual(Rule.of(row).kind.value, row.kind.value)
            self.assertEqual(Rule.of(row).pattern, row.pattern)


class FollowingTests(TestCase):
    def test_the_tag_goes_first(self) -> None:
        there = account(rule("anna@example.org", BEN), boxes=BEN)
        start = follow(there, "Anna+News@Example.org").start
        self.assertEqual(start.read_as, ANNA)
        self.assertTrue(start.sight.is_tagged)

    def test_symbols_count_where_subaddressing_is_off(self) -> None:
        there = account(boxes="mia.wendt@shop.example")
        self.assertEqual(
            ends(there, "mia.wendt@shop.example"), ["mailbox: mia.wendt@shop.example"]
        )

    def test_it_goes_on_until_nothing_changes(self) -> None:
        there = account(
            rule("a@example.org", "b@example.org"),
            rule("b@example.org", "c@shop.example"),
            rule("c*@shop.example", ANNA, "x@far.example"),
            boxes=ANNA,
        )
        walk = follow(there, "a@example.org")
        self.assertEqual((walk.mailboxes, walk.outside), ([ANNA], ["x@far.example"]))
        self.assertEqual(walk.redirects, 3)

    def test_a_mailbox_that_its_rule_names_keeps_a_copy(self) -> None:
        there = account(rule(ANNA, ANNA, BEN), boxes=f"{ANNA} {BEN}")
        walk = follow(there, ANNA)
        self.assertEqual(walk.mailboxes, [ANNA, BEN])
        self.assertEqual(walk.passed_over, [])
        self.assertTrue(walk.visits[1].stays)

    def test_circles_are_cut_and_shown(self) -> None:
        there = account(
            rule("a@example.org", "b@example.org", ANNA),
            rule("b@example.org", "a@example.org"),
            boxes=ANNA,
        )
        walk = follow(there, "a@example.org")
        way = ("a@example.org", "b@example.org", "a@example.org")
        self.assertEqual(walk.circles, [way])
        self.assertEqual(walk.mailboxes, [ANNA])

    def test_no_address_is_followed_twice(self) -> None:
        both = ("b@example.org", "c@example.org")
        there = account(
            rule("a@example.org", *both),
            rule("b@example.org", "c@example.org"),
            rule("c@example.org", ANNA),
            boxes=ANNA,
        )
        self.assertEqual(
            ends(there, "a@example.org"), [f"mailbox: {ANNA}", "again: c@example.org"]
        )

    def test_a_long_chain_is_followed_to_its_end(self) -> None:
        chain = [
            rule(f"a{n}@example.org", f"a{n + 1}@example.org") for n in range(3_000)
        ]
        walk = follow(account(*chain, boxes="a3000@example.org"), "a0@example.org")
        self.assertEqual(walk.mailboxes, ["a3000@example.org"])

    def test_nobody_else_is_here(self) -> None:
        there = account(rule("void@example.org"), boxes="me@purelymail.com")
        for address, end in {
            "void@example.org": "nobody: void@example.org",
            "x@example.org": "bounce: x@example.org",
            "x@far.example": "outside: x@far.example",
            "you@purelymail.com": "outside: you@purelymail.com",
            "me+x@purelymail.com": "mailbox: me@purelymail.com",
            "nonsense": "bounce: nonsense",
        }.items():
            self.assertEqual(ends(there, address), [end])

    def test_what_is_behind_a_veil_is_not_told(self) -> None:
        there = account(
            rule("a@example.org", "x@secret.example"), veiled="secret.example"
        )
        self.assertEqual(ends(there, "a@example.org"), ["veiled: x@secret.example"])


class UnknownTests(TestCase):
    def doubts(self, there: Account, address: str) -> list[Doubt]:
        return [it.doubt for it in unknowns(there, follow(there, address))]

    def test_what_everybody_knows_raises_no_doubt(self) -> None:
        there = account(
            rule("*@example.org", BEN, catchall=True), boxes=f"{ANNA} {BEN}"
        )
        for address in (ANNA, "anna+x@example.org", "x@example.org", "x@far.example"):
            self.assertEqual(self.doubts(there, address), [])

    def test_dots_are_told_in_two_ways(self) -> None:
        there = account(boxes="first@example.org firstlast@example.org")
        [unknown] = unknowns(there, follow(there, "first.last@example.org"))
        self.assertEqual(unknown.doubt, Doubt.DOTS)
        self.assertIn("ends at firstlast@example.org.", unknown.sentence)
        self.assertEqual(self.doubts(there, "first+last@example.org"), [])

    def test_it_marks_what_was_never_tried(self) -> None:
        there = account(
            rule("a@example.org", BEN, catchall=True),
            rule("b@example.org", "c@example.org"),
            rule("c@example.org", "b@example.org"),
            rule("d@example.org"),
            rule("e@example.org", BEN, "a@example.org"),
            rule("*@example.org", ANNA),
            *(rule(f"n{n}@shop.example", f"n{n + 1}@shop.example") for n in range(12)),
            boxes=f"{ANNA} {BEN} n12@shop.example",
        )
        self.assertEqual(self.doubts(there, "a@example.org"), [Doubt.CUSTOM])
        self.assertEqual(self.doubts(there, "b@example.org"), [Doubt.CIRCLE])
        self.assertEqual(self.doubts(there, "d@example.org"), [Doubt.NOBODY])
        both = [Doubt.CUSTOM, Doubt.COPIES]
        self.assertEqual(self.doubts(there, "e@example.org"), both)
        self.assertEqual(self.doubts(there, "n0@shop.example"), [Doubt.REDIRECTS])
        self.assertEqual(self.doubts(there, "+x@example.org"), [Doubt.NAMELESS])


class OriginTests(TestCase):
    def patterns(self, there: Account, goal: str) -> list[str]:
        found = []
        for origin in origins(there, goal):
            but = [*(f"{it}*" for it in origin.but_prefixes), *origin.but]
            words = f" but {', '.join(but)}" if but else ""
            found.append(f"{origin.pattern}{words}")
        return found

    def test_a_mailbox_gets_its_own_mail_and_that_of_rules(self) -> None:
        there = account(
            rule("sales@example.org", ANNA, BEN),
            rule("s@shop.example", "sales@example.org"),
            boxes=f"{ANNA} {BEN}",
        )
        expected = [ANNA, "sales@example.org", "s@shop.example"]
        self.assertEqual(self.patterns(there, ANNA), expected)

    def test_prefixes_have_gaps(self) -> None:
        there = account(
            rule("*@shop.example", ANNA),
            rule("x*@shop.example", BEN),
            rule("xy*@shop.example", ANNA),
            rule("info@shop.example", BEN),
            rule("xz@shop.example", ANNA),
            boxes=f"{ANNA} {BEN}",
        )
        expected = [ANNA, "xz@shop.example", "*@shop.example but x*, info"]
        self.assertEqual(self.patterns(there, ANNA), [*expected, "xy*@shop.example"])
        self.assertEqual(
            self.patterns(there, BEN),
            [BEN, "info@shop.example", "x*@shop.example but xy*, xz"],
        )

    def test_a_catch_all_leaves_mailboxes_out(self) -> None:
        there = account(
            rule("*@example.org", ANNA, catchall=True), boxes=f"{ANNA} {BEN}"
        )
        self.assertEqual(self.patterns(there, ANNA), ["*@example.org but ben"])

    def test_a_mailbox_that_a_rule_empties_has_no_origin(self) -> None:
        there = account(rule(ANNA, BEN), boxes=f"{ANNA} {BEN}")
        self.assertEqual(self.patterns(there, ANNA), [])

    def test_others_have_origins_too(self) -> None:
        there = account(
            rule("a@example.org", "x@far.example"), boxes="me@purelymail.com"
        )
        self.assertEqual(self.patterns(there, "X@far.example"), ["a@example.org"])
        self.assertEqual(
            self.patterns(there, "me@purelymail.com"), ["me@purelymail.com"]
        )


class SentenceTests(TestCase):
    def test_rules_read_as_sentences(self) -> None:
        odd = rule("x@example.org", ANNA, catchall=True)
        odder = rule("x*@example.org", ANNA, catchall=True)
        for it, words in {
            rule("sales@example.org", ANNA, BEN): (
                f"sales@example.org goes to {ANNA} and {BEN}"
            ),
            rule("s-*@example.org", ANNA, BEN, "c@d.e"): (
                f"any address starting with s- at example.org goes to {ANNA}, {BEN} "
                "and c@d.e"
            ),
            rule("*@example.org", ANNA): f"any address at example.org goes to {ANNA}",
            rule("*@example.org", ANNA, catchall=True): (
                f"any address without a mailbox at example.org goes to {ANNA}"
            ),
            odd: f"x@example.org while it is no mailbox goes to {ANNA}",
            odder: (
                "any address without a mailbox starting with x at example.org goes to "
                f"{ANNA}"
            ),
            rule("@example.org"): (
                "an address at example.org with nothing before the @ goes to nobody"
            ),
        }.items():
            self.assertEqual(sentence(it), f"Mail to {words}.")
