"""Rules brought back from a snapshot, by a plan that somebody confirms."""

from __future__ import annotations

import pytest

from purelymanage.audit.models import Agent
from purelymanage.deletions.models import PendingDeletion
from purelymanage.domains import sync
from purelymanage.purelymail.sandbox.demo import WAITING
from purelymanage.routing.models import RuleBulk, Snapshot
from purelymanage.routing.operations.snapshots import take_snapshot
from tests.proof import prove
from tests.routing.bulk_cases import RuleBulkTestCase

SHOP = "shop.example"


class RestoreTests(RuleBulkTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.change(add={"team": ["orders@shop.example"], "crew": ["a@old.example"]})
        self.snapshot = take_snapshot(actor=self.adam)
        self.before = self.listed()
        self.path = f"/routing/snapshots/{self.snapshot.pk}/restore/"

    def change(
        self, *, add: dict[str, list[str]] | None = None, remove: tuple[str, ...] = ()
    ) -> None:
        """Change the rules of a domain the way somebody outside would."""
        for it in self.remote("listRoutingRules")["rules"]:
            if it["domainName"] == SHOP and it["matchUser"] in remove:
                self.remote("deleteRoutingRule", routingRuleId=it["id"])
        for name, targets in (add or {}).items():
            self.remote(
                "createRoutingRule",
                domainName=SHOP,
                matchUser=name,
                prefix=False,
                catchall=False,
                targetAddresses=targets,
            )
        sync.sync(actor=Agent.PANEL)

    @pytest.mark.slow
    def test_the_plan_brings_back_what_was_there(self) -> None:
        self.change(
            remove=("team", "crew"),
            add={"crew": ["b@new.example"], "extra": ["orders@shop.example"]},
        )
        bulk = self.draft(self.path, {})
        self.assertEqual(
            self.verdicts(bulk),
            {
                f"team@{SHOP}": "new",
                f"crew@{SHOP}": "changed",
                f"extra@{SHOP}": "removed",
            },
        )
        r = self.client.get(f"/routing/bulk/{bulk.pk}/")
        self.assertContains(r, "Only rules are restored.")
        self.assertContains(r, "It goes to b@new.example now.")
        prove(self.client)
        states = self.run_bulk(bulk)
        self.assertEqual(set(states.values()), {"done"})
        # Nothing is deleted at once: that waits in its queue.
        extra = {f"extra@{SHOP}": ["orders@shop.example"]}
        self.assertEqual(self.listed(), self.before | extra)
        self.assertEqual(self.queued(self.adam), {f"extra@{SHOP}"})
        occasions = Snapshot.objects.order_by("pk").values_list("occasion", flat=True)
        self.assertEqual(list(occasions), ["asked", "restore"])

    def test_deletions_ask_for_a_proof_first(self) -> None:
        self.change(add={"extra": ["orders@shop.example"]})
        bulk = self.draft(self.path, {})
        r = self.client.post(f"/routing/bulk/{bulk.pk}/start/")
        self.assertIn("reauthenticate", r["Location"])
        bulk.refresh_from_db()
        self.assertTrue(bulk.is_draft)

    def test_deletions_can_be_left_out(self) -> None:
        self.change(remove=("team",), add={"extra": ["orders@shop.example"]})
        bulk = self.draft(self.path, {})
        number = self.row(bulk, f"extra@{SHOP}").number
        self.client.post(f"/routing/bulk/{bulk.pk}/rows/{number}/", {"wanted": "no"})
        self.run_bulk(bulk)
        self.assertIn(f"team@{SHOP}", self.listed())
        self.assertFalse(PendingDeletion.objects.exists())

    @pytest.mark.slow
    def test_a_rule_made_meanwhile_is_not_replaced(self) -> None:
        self.change(remove=("team",))
        bulk = self.draft(self.path, {})
        self.change(add={"team": ["c@other.example"]})
        states = self.run_bulk(bulk)
        self.assertEqual(states, {f"team@{SHOP}": "failed"})
        reason = self.row(bulk, f"team@{SHOP}").reason
        self.assertIn("made another rule for it meanwhile, to c@other.example", reason)

    def test_what_is_as_it_was_needs_no_plan(self) -> None:
        r = self.client.post(self.path, follow=True)
        self.assertContains(r, "There is nothing to restore.")
        self.assertFalse(RuleBulk.objects.exists())

    @pytest.mark.slow
    def test_taking_mail_from_all_mailboxes_again_is_confirmed(self) -> None:
        for it in self.remote("listRoutingRules")["rules"]:
            if it["domainName"] == WAITING:
                self.remote("deleteRoutingRule", routingRuleId=it["id"])
        sync.sync(actor=Agent.PANEL)
        bulk = self.draft(self.path, {})
        start = f"/routing/bulk/{bulk.pk}/start/"
        r = self.client.post(start, {"confirm": "no"})
        self.assertContains(r, f"Type {WAITING} here", status_code=422)
        self.assertEqual(self.run_bulk(bulk, confirm=WAITING), {f"*@{WAITING}": "done"})

    def test_limited_people_restore_their_part(self) -> None:
        self.change(remove=("team",))
        for it in self.remote("listRoutingRules")["rules"]:
            if it["domainName"] == "example.org":
                self.remote("deleteRoutingRule", routingRuleId=it["id"])
        sync.sync(actor=Agent.PANEL)
        self.client.force_login(self.lina)
        bulk = self.draft(self.path, {})
        self.assertEqual(self.verdicts(bulk), {f"team@{SHOP}": "new"})

    def test_auditors_restore_nothing(self) -> None:
        self.client.force_login(self.audrey)
        self.assertEqual(self.client.post(self.path).status_code, 403)
