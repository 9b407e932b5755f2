"""One rule in place of another: never both missing for good, never both left."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.test import TransactionTestCase
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.audit.models import Agent, Entry
from purelymanage.deletions.models import Kind, PendingDeletion
from purelymanage.domains import sync
from purelymanage.errors import Refused
from purelymanage.purelymail import client as client_module
from purelymanage.purelymail.client import PurelymailClient
from purelymanage.routing import tasks
from purelymanage.routing.deeds import fields_of
from purelymanage.routing.lineage import successor
from purelymanage.routing.models import Rewrite, Rule
from purelymanage.routing.operations import rewriting
from purelymanage.routing.operations.rewriting import NotReplaced, replace_rule
from tests.sandbox import SandboxTestCase, WithSandbox

OLD = {
    "domain": "shop.example",
    "match_user": "team",
    "prefix": False,
    "catchall": False,
    "targets": ["orders@shop.example", "ext@elsewhere.example"],
}
RETARGETED = OLD | {"targets": ["sales@shop.example", "ext@elsewhere.example"]}
RENAMED = OLD | {"match_user": "crew"}
KILLED = 9


class WithRule(WithSandbox):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(client_module, "PAUSES", ()))
        self.begin()

    def begin(self) -> None:
        Rule.objects.all().delete()
        Rewrite.objects.all().delete()
        self.sandbox.reset()
        self.add(OLD)
        sync.sync(actor=Agent.PANEL)
        Rule.objects.filter(match_user="team").update(note="kept")
        self.rule = Rule.objects.get(match_user="team")
        self.others = self.remote_rules() - {self.line(OLD)}
        self.sandbox.calls.clear()

    def add(self, fields: dict[str, Any]) -> None:
        self.remote(
            "createRoutingRule",
            domainName=fields["domain"],
            matchUser=fields["match_user"],
            prefix=fields["prefix"],
            catchall=fields["catchall"],
            targetAddresses=fields["targets"],
        )

    def line(self, fields: dict[str, Any]) -> str:
        star = "*" if fields["prefix"] else ""
        to = " ".join(sorted(fields["targets"]))
        return f"{fields['match_user']}{star}@{fields['domain']} {to}"

    def remote_rules(self) -> set[str]:
        return {
            self.line(
                {
                    "domain": it["domainName"],
                    "match_user": it["matchUser"],
                    "prefix": it["prefix"],
                    "targets": it["targetAddresses"],
                }
            )
            for it in self.remote("listRoutingRules")["rules"]
        }

    def mirrored_rules(self) -> set[str]:
        return {self.line(fields_of(rule)) for rule in Rule.objects.present()}

    def assert_only(self, fields: dict[str, Any]) -> None:
        """Only this one of the two is there, and the mirror knows it."""
        self.assertEqual(self.remote_rules() - self.others, {self.line(fields)})
        self.assertEqual(self.mirrored_rules(), self.remote_rules())

    def sweep(self) -> None:
        Rewrite.objects.open().update(lease_until=timezone.now())
        tasks.repair_rewrites()


class RewritingTests(WithRule, SandboxTestCase):
    def replace(self, new: dict[str, Any] = RETARGETED) -> None:
        replace_rule(rule=self.rule, new=new, actor=self.adam)

    def events(self) -> list[str]:
        entries = Entry.objects.filter(event__startswith="rule.")
        return list(entries.order_by("sequence").values_list("event", flat=True))

    def test_the_targets_change(self) -> None:
        self.replace()
        self.assert_only(RETARGETED)
        entry = Entry.objects.latest("sequence")
        self.assertEqual(entry.actor, self.adam)
        self.assertIn("sales@shop.example", entry.sentence)

    def test_the_match_changes_without_a_gap(self) -> None:
        self.replace(RENAMED)
        self.assert_only(RENAMED)
        writes = [it for it in self.sandbox.calls if "list" not in str(it)]
        self.assertIn("create", str(writes[0]))

    def test_a_refused_deletion_leaves_the_old_one(self) -> None:
        self.fault("error", "deleteRoutingRule", message="Not on a Sunday.")
        with self.assertRaisesMessage(NotReplaced, "Not on a Sunday."):
            self.replace()
        self.assert_only(OLD)
        self.assertEqual(self.events(), ["rule.rewrite_failed"])

    def test_a_refused_creation_brings_the_old_one_back(self) -> None:
        self.fault("error", "createRoutingRule", message="Not this target.")
        with self.assertRaisesMessage(NotReplaced, "Not this target."):
            self.replace()
        self.assert_only(OLD)

    def test_success_without_effect_is_told(self) -> None:
        for operation in ("deleteRoutingRule", "createRoutingRule"):
            with self.subTest(operation=operation):
                self.begin()
                self.fault("silent_success", operation)
                with self.assertRaisesMessage(NotReplaced, "but nothing changed"):
                    self.replace()
                self.assert_only(OLD)

    def test_an_old_rule_that_stays_takes_the_new_one_away_again(self) -> None:
        self.fault("error", "deleteRoutingRule", message="Not on a Sunday.")
        with self.assertRaisesMessage(NotReplaced, "Not on a Sunday."):
            self.replace(RENAMED)
        self.assert_only(OLD)

    def test_lost_answers_after_the_deed_do_no_harm(self) -> None:
        self.fault("drop_after", "deleteRoutingRule")
        self.fault("half_answer", "createRoutingRule")
        self.replace()
        self.assert_only(RETARGETED)

    @pytest.mark.slow
    def test_a_hang_after_the_deed_does_no_harm(self) -> None:
        self.fault("hang_after", "createRoutingRule", seconds=1)
        with self.timeout(0.3, "createRoutingRule"):
            self.replace()
        self.assert_only(RETARGETED)

    @pytest.mark.slow
    def test_a_lost_request_is_made_again_by_the_sweep(self) -> None:
        for operation in ("deleteRoutingRule", "createRoutingRule"):
            for new in (RETARGETED, RENAMED):
                with self.subTest(operation=operation, new=new["match_user"]):
                    self.begin()
                    self.fault("drop", operation)
                    with self.assertRaisesMessage(NotReplaced, "Nobody knows yet"):
                        self.replace(new)
                    tasks.repair_rewrites()  # too early, nothing happens
                    self.assertEqual(Rewrite.objects.get().state, "open")
                    self.sweep()
                    self.assert_only(new)

    def test_where_neither_can_be_made_each_try_begins_with_the_other(self) -> None:
        self.fault("error", "createRoutingRule", message="No rules today.", times=6)
        with self.assertRaisesMessage(NotReplaced, "The panel goes on by itself"):
            self.replace()
        self.assertEqual(self.remote_rules(), self.others)
        for _ in range(2):
            self.sweep()
        self.assertEqual(self.events(), ["rule.rewrite_delayed"])
        self.sweep()
        self.assert_only(RETARGETED)

    def test_a_rule_that_somebody_made_meanwhile_is_left_alone(self) -> None:
        third = OLD | {"targets": ["somebody@else.example"]}
        delete = PurelymailClient.delete_routing_rule

        def then_another(client: PurelymailClient, rule_id: int) -> None:
            delete(client, rule_id)
            self.add(third)

        with (
            mock.patch.object(PurelymailClient, "delete_routing_rule", then_another),
            self.assertRaisesMessage(NotReplaced, "another rule for it meanwhile"),
        ):
            self.replace()
        self.assertEqual(self.remote_rules() - self.others, {self.line(third)})

    def test_a_rule_that_is_gone_is_not_made_anew(self) -> None:
        self.remote("deleteRoutingRule", routingRuleId=self.rule.remote_id)
        with self.assertRaisesMessage(NotReplaced, "not there any more"):
            self.replace()
        self.assertEqual(self.remote_rules(), self.others)

    def test_a_match_that_is_taken_is_refused(self) -> None:
        self.add(RENAMED | {"targets": ["x@y.example"]})
        with self.assertRaisesMessage(NotReplaced, "conflicts with an existing rule"):
            self.replace(RENAMED)
        self.assertIn(self.line(OLD), self.remote_rules())
        self.assertNotIn(self.line(RENAMED), self.remote_rules())

    def test_nothing_is_asked_for_what_may_not_be(self) -> None:
        with self.assertRaisesMessage(NotReplaced, "does that already"):
            self.replace(OLD)
        with self.assertRaisesMessage(NotReplaced, "send mail somewhere"):
            self.replace(OLD | {"targets": []})
        with self.assertRaisesMessage(NotReplaced, "not one of your domains"):
            foreign = OLD | {"domain": "example.org"}
            replace_rule(rule=self.rule, new=foreign, actor=self.lina)
        PendingDeletion.objects.create(
            kind=Kind.RULE,
            key=str(self.rule.remote_id),
            label="x",
            domain="shop.example",
            requested_by=self.adam,
            waits_since=timezone.now(),
            delete_after=timezone.now(),
        )
        with self.assertRaisesMessage(Refused, "is to be deleted"):
            self.replace()
        self.assertEqual(len(self.sandbox.calls), 0)

    def test_a_second_one_waits_for_the_first(self) -> None:
        self.fault("drop", "deleteRoutingRule")
        with self.assertRaises(NotReplaced):
            self.replace()
        with self.assertRaisesMessage(NotReplaced, "being replaced already"):
            self.replace(RENAMED)

    def test_who_has_lost_the_lease_makes_no_further_call(self) -> None:
        look = PurelymailClient.list_routing_rules

        def too_late(client: PurelymailClient) -> Any:
            Rewrite.objects.update(tries=5, lease_until=timezone.now())
            return look(client)

        with (
            mock.patch.object(PurelymailClient, "list_routing_rules", too_late),
            self.assertRaisesMessage(NotReplaced, "has taken it over"),
        ):
            self.replace()
        self.assert_only(OLD)
        self.sweep()
        self.assert_only(RETARGETED)

    @pytest.mark.slow
    def test_a_sync_in_between_tells_nothing_of_it(self) -> None:
        self.fault("error", "createRoutingRule", times=2)
        with self.assertRaises(NotReplaced):
            self.replace()
        sync.sync(actor=Agent.PANEL)
        self.sweep()
        sync.sync(actor=Agent.PANEL)
        self.assertEqual(self.events(), ["rule.rewritten"])
        self.assert_only(RETARGETED)


@pytest.mark.slow
class KilledTests(WithRule, TransactionTestCase):
    """The process dies before and after each call, and before it can note the end."""

    def test_it_comes_to_its_end_wherever_it_dies(self) -> None:
        self.adam = User.objects.create_user("adam@example.org", None, role=Role.ADMIN)
        ends = []
        for new, refused in itertools.product((RETARGETED, RENAMED), (False, True)):
            for number in itertools.count(1):
                for after in (False, True):
                    name = f"{new['match_user']} {refused=} call {number} {after=}"
                    with self.subTest(name):
                        self.begin()
                        ended = self.die_at(number, new, after=after, refused=refused)
                        ends.append(ended)
                        self.sweep()
                        there = self.remote_rules() - self.others
                        if not refused:
                            self.assertEqual(there, {self.line(new)})
                        self.assertEqual(len(there), 1, there)
                        self.assertEqual(self.mirrored_rules(), self.remote_rules())
                        self.assertFalse(Rewrite.objects.open().exists())
                        self.assertTrue(self.is_followed())
                if ends[-1] == "lived":
                    break
        self.assertIn("killed", ends)
        self.assertGreater(len(ends), 30)

    def is_followed(self) -> bool:
        """Whether its old id leads to the rule that is there, with what was kept."""
        number = self.rule.remote_id
        there = Rule.objects.present().filter(remote_id=number).first()
        there = there or successor(number)
        return there is not None and there.note == "kept"

    def die_at(
        self, number: int, new: dict[str, Any], *, after: bool, refused: bool
    ) -> str:
        """Do it in a process of its own that ends at the given call."""
        if refused:
            self.fault("error", "createRoutingRule")
        connection.close()
        child = os.fork()
        if not child:
            try:
                self.replace_until(number, new, after=after)
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        return "killed" if os.waitstatus_to_exitcode(status) == KILLED else "lived"

    def replace_until(self, number: int, new: dict[str, Any], *, after: bool) -> None:
        real, calls = PurelymailClient._call, itertools.count(1)

        def call(
            client: PurelymailClient, name: str, read: Callable[[Any], Any], **body: Any
        ) -> Any:
            is_last = next(calls) == number
            if is_last and not after:
                os._exit(KILLED)
            try:
                return real(client, name, read, **body)
            finally:
                if is_last:
                    os._exit(KILLED)

        with mock.patch.object(PurelymailClient, "_call", call):
            rewriting.replace_rule(rule=self.rule, new=new, actor=self.adam)
