"""A rule is made, read back and only then believed."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
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
from purelymanage.routing.models import Rewrite, Rule, RuleCreation
from purelymanage.routing.operations.creating import NotCreated, create_rule
from tests.sandbox import SyncedTestCase, WithSandbox

WANTED = {
    "domain": "shop.example",
    "match_user": "press",
    "prefix": False,
    "catchall": False,
    "targets": ["orders@shop.example", "ext@elsewhere.example"],
}


class WithAccount(WithSandbox):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(client_module, "PAUSES", ()))

    def there(self) -> list[list[str]]:
        rules = self.remote("listRoutingRules")["rules"]
        return [it["targetAddresses"] for it in rules if it["matchUser"] == "press"]

    def add_outside(self, targets: list[str]) -> None:
        self.remote(
            "createRoutingRule",
            domainName="shop.example",
            matchUser="press",
            prefix=False,
            catchall=False,
            targetAddresses=targets,
        )


class CreatingTests(WithAccount, SyncedTestCase):
    def create(self, **wanted: Any) -> Rule:
        return create_rule(wanted=WANTED | wanted, actor=self.adam, note="For the fair")

    def events(self) -> list[str]:
        entries = Entry.objects.filter(event__startswith="rule.")
        return list(entries.order_by("sequence").values_list("event", flat=True))

    def refused(self, sentence: str, **wanted: Any) -> NotCreated:
        with self.assertRaisesMessage(NotCreated, sentence) as caught:
            self.create(**wanted)
        error: NotCreated = caught.exception
        return error

    def test_it_is_created_and_read_back(self) -> None:
        rule = self.create()
        self.assertEqual(self.there(), [WANTED["targets"]])
        self.assertEqual((rule.made_by, rule.note), (self.adam, "For the fair"))
        ids = [it["id"] for it in self.remote("listRoutingRules")["rules"]]
        self.assertIn(rule.remote_id, ids)
        self.assertEqual(RuleCreation.objects.get().state, "done")
        entry = Entry.objects.get(event="rule.created")
        self.assertEqual((entry.actor, entry.target), (self.adam, "press@shop.example"))
        sync.sync(actor=Agent.PANEL)
        self.assertEqual(self.events(), ["rule.created"])

    def test_every_kind_that_the_portal_offers_can_be_created(self) -> None:
        for rule in self.remote("listRoutingRules")["rules"]:
            self.remote("deleteRoutingRule", routingRuleId=rule["id"])
        Rule.objects.all().delete()
        for flags, kind in (
            ({}, "exact"),
            ({"prefix": True}, "prefix"),
            ({"match_user": "", "prefix": True}, "any"),
            (
                {
                    "domain": "example.org",
                    "match_user": "",
                    "prefix": True,
                    "catchall": True,
                },
                "catch_all",
            ),
        ):
            self.assertEqual(self.create(**flags).kind, kind)

    def test_what_makes_no_sense_is_not_even_asked_for(self) -> None:
        for sentence, wanted in (
            ("is not a domain of this account", {"domain": "elsewhere.example"}),
            ("has to send mail somewhere", {"targets": []}),
            ("At most 50", {"targets": [f"a{it}@b.example" for it in range(51)]}),
            ("nobody is no e-mail address", {"targets": ["nobody"]}),
            ("needs its name", {"match_user": ""}),
            ("does not offer this combination", {"catchall": True}),
        ):
            with self.subTest(sentence):
                self.refused(sentence, **wanted)
        with self.assertRaisesMessage(NotCreated, "not a domain of this account"):
            create_rule(wanted=WANTED | {"domain": "example.org"}, actor=self.lina)
        self.assertEqual(len(self.sandbox.calls), 0)

    def test_nothing_is_created_on_a_domain_that_is_to_be_deleted(self) -> None:
        now = timezone.now()
        PendingDeletion.objects.create(
            kind=Kind.DOMAIN,
            key="shop.example",
            label="shop.example",
            domain="shop.example",
            requested_by=self.olga,
            waits_since=now,
            delete_after=now,
        )
        with self.assertRaisesMessage(Refused, "is to be deleted"):
            self.create()

    def test_a_duplicate_that_purelymail_would_swallow_is_refused(self) -> None:
        self.create()
        self.refused("has this rule already")
        self.refused("already, to orders@shop.example", targets=["x@y.example"])

    def test_so_is_one_that_the_mirror_does_not_know(self) -> None:
        self.add_outside(["EXT@elsewhere.example", "orders@shop.example"])
        self.refused("has this rule already")
        self.refused("already, to EXT@elsewhere", targets=["x@y.example"])
        asked = {call.operation for call in self.sandbox.calls}
        self.assertNotIn("createRoutingRule", asked)

    def test_a_refusal_of_purelymail_is_told(self) -> None:
        self.fault("error", "createRoutingRule", message="Not on a Sunday.")
        error = self.refused("press@shop.example: Not on a Sunday.")
        self.assertFalse(error.is_outage)
        self.assertEqual(self.events(), ["rule.creation_failed"])
        self.create()

    def test_success_without_effect_is_told(self) -> None:
        self.fault("silent_success", "createRoutingRule")
        self.assertTrue(self.refused("but it is not there").is_outage)
        self.assertEqual(RuleCreation.objects.get().state, "failed")

    def test_a_lost_answer_does_no_harm(self) -> None:
        self.fault("drop_after", "createRoutingRule")
        self.create()
        self.assertEqual(self.events(), ["rule.created"])

    @pytest.mark.slow
    def test_a_hang_after_the_deed_does_no_harm(self) -> None:
        self.fault("hang_after", "createRoutingRule", seconds=1)
        with self.timeout(0.3, "createRoutingRule"):
            self.create()
        self.assertEqual(len(self.there()), 1)

    def test_a_lost_request_is_told(self) -> None:
        self.fault("drop", "createRoutingRule")
        self.assertTrue(self.refused("was not created").is_outage)
        self.assertEqual(self.there(), [])

    def test_what_nobody_knows_is_settled_by_the_next_sync(self) -> None:
        real = PurelymailClient.create_routing_rule

        def then_silence(client: PurelymailClient, *args: Any, **fields: Any) -> None:
            real(client, *args, **fields)
            self.fault("status_500", "listRoutingRules", times=None)

        with mock.patch.object(PurelymailClient, "create_routing_rule", then_silence):
            self.refused("Nobody knows yet")
        self.refused("its answer is awaited")
        self.sandbox.faults.clear()
        sync.sync(actor=Agent.PANEL)
        self.assertEqual(self.events(), ["rule.created"])
        rule = Rule.objects.get(match_user="press")
        self.assertEqual((rule.made_by, rule.note), (self.adam, "For the fair"))

    def test_a_rule_that_is_being_replaced_is_not_made_twice(self) -> None:
        Rewrite.objects.create(
            old_id=1,
            domain="shop.example",
            old=WANTED,
            new=WANTED | {"match_user": "crew"},
            requested_by=self.adam,
        )
        self.refused("is being replaced just now")


@pytest.mark.slow
class KilledTests(WithAccount, TransactionTestCase):
    def setUp(self) -> None:
        super().setUp()
        sync.sync(actor=Agent.PANEL)

    def test_wherever_it_dies_the_next_sync_tells_the_truth(self) -> None:
        self.adam = User.objects.create_user("adam@example.org", None, role=Role.ADMIN)
        for operation, after, made in (
            ("listRoutingRules", False, False),
            ("createRoutingRule", False, False),
            ("createRoutingRule", True, True),
        ):
            with self.subTest(operation, after=after):
                self.die_at(operation, after=after)
                self.assertEqual(RuleCreation.objects.asked().count(), 1)
                long_ago = timezone.now() - timedelta(minutes=6)
                RuleCreation.objects.asked().update(requested_at=long_ago)
                tasks.repair_rewrites()
                sync.sync(actor=Agent.PANEL)
                self.assertFalse(RuleCreation.objects.asked().exists())
                self.assertEqual(len(self.there()), made)
                mirrored = Rule.objects.present().filter(match_user="press")
                self.assertEqual(mirrored.count(), made)
                event = "rule.created" if made else "rule.creation_failed"
                self.assertEqual(Entry.objects.latest("sequence").event, event)

    def test_of_two_at_once_one_is_told_to_wait(self) -> None:
        self.adam = User.objects.create_user("adam@example.org", None, role=Role.ADMIN)
        self.fault("latency", "createRoutingRule", seconds=0.5)
        together = Barrier(2)

        def create(number: int) -> str:
            together.wait()
            try:
                create_rule(wanted=WANTED, actor=self.adam)
            except NotCreated as exc:
                return str(exc)
            finally:
                connection.close()
            return ""

        with ThreadPoolExecutor(2) as pool:
            said = sorted(pool.map(create, range(2)))
        self.assertEqual(said[0], "")
        self.assertIn("its answer is awaited", said[1])
        self.assertEqual(len(self.there()), 1)

    def die_at(self, operation: str, *, after: bool) -> None:
        connection.close()
        child = os.fork()
        if not child:
            try:
                self.create_until(operation, after=after)
            finally:
                os._exit(1)
        os.waitpid(child, 0)

    def create_until(self, operation: str, *, after: bool) -> None:
        real = PurelymailClient._call

        def call(
            client: PurelymailClient, name: str, read: Callable[[Any], Any], **body: Any
        ) -> Any:
            if name == operation and not after:
                os._exit(9)
            try:
                return real(client, name, read, **body)
            finally:
                if name == operation:
                    os._exit(9)

        with mock.patch.object(PurelymailClient, "_call", call):
            create_rule(wanted=WANTED, actor=self.adam)
