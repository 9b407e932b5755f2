from __future__ import annotations

from unittest import TestCase

from hypothesis import given, settings

from purelymanage.purelymail.sandbox import rules as remote
from purelymanage.purelymail.sandbox.fields import Fields
from purelymanage.routing.model.plans import Deed, difference, plan
from tests.routing.configurations import DOMAINS, Configuration, configurations
from tests.routing.rules import rule

OLD, NEW = "old@example.org", "new@example.org"


class PlanTests(TestCase):
    def test_it_tells_what_is_apart(self) -> None:
        kept = rule("k@example.org", OLD, NEW, id=1)
        before = rule("c@example.org", OLD, id=2)
        gone, new = rule("g@example.org", OLD, id=3), rule("n@example.org", NEW)
        after = rule("c@example.org", NEW)
        apart = difference(
            [kept, before, gone], [rule("k@example.org", NEW, OLD, id=9), after, new]
        )
        self.assertEqual(apart.kept, (kept,))
        self.assertEqual(apart.changed, ((before, after),))
        self.assertEqual((apart.added, apart.removed), ((new,), (gone,)))
        self.assertFalse(apart.is_empty)
        self.assertTrue(difference([kept], [kept]).is_empty)

    def test_what_is_new_comes_first_and_what_goes_last(self) -> None:
        have = [rule("a@example.org", OLD), rule("*@example.org", OLD)]
        want = [rule("*@example.org", OLD, catchall=True), rule("b@example.org", NEW)]
        steps = plan(have, want, domains=["example.org"]).steps
        self.assertEqual(
            [(it.deed.value, it.rule.pattern) for it in steps],
            [
                ("create", "b@example.org"),
                ("delete", "*@example.org"),
                ("create", "*@example.org"),
                ("delete", "a@example.org"),
            ],
        )

    def test_rules_of_domains_that_are_gone_cannot_be(self) -> None:
        lost = rule("a@lost.example", NEW)
        found = plan([], [lost], domains=["example.org"])
        self.assertEqual((found.steps, found.impossible), ((), (lost,)))

    def test_purelymail_takes_every_plan(self) -> None:
        @settings(max_examples=100, deadline=None)
        @given(configurations(), configurations())
        def check(one: Configuration, other: Configuration) -> None:
            state = one.state
            for step in plan(one.rules, other.rules, domains=DOMAINS).steps:
                if step.deed == Deed.DELETE:
                    body = {"routingRuleId": step.rule.id}
                    remote.delete_routing_rule(state, Fields(body))
                    continue
                before = len(state.rules)
                fields = {
                    "domainName": step.rule.domain,
                    "matchUser": step.rule.match_user,
                    "prefix": step.rule.prefix,
                    "catchall": step.rule.catchall,
                    "targetAddresses": list(step.rule.targets),
                }
                remote.create_routing_rule(state, Fields(fields))
                self.assertEqual(len(state.rules), before + 1)
            there = {
                (it.domain, it.match_user, it.prefix, it.catchall, *sorted(it.targets))
                for it in state.rules
            }
            wanted = {
                (it.domain, it.match_user, it.prefix, it.catchall, *sorted(it.targets))
                for it in other.rules
            }
            # Of targets that are named twice, one is enough.
            self.assertEqual(
                {(*it[:4], *dict.fromkeys(it[4:])) for it in there},
                {(*it[:4], *dict.fromkeys(it[4:])) for it in wanted},
            )

        check()
