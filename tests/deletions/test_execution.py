from __future__ import annotations

from datetime import timedelta
from io import StringIO
from unittest import mock

import pytest
from django.core.management import call_command

from purelymanage.audit.models import Agent, Entry
from purelymanage.deletions.models import PendingDeletion
from purelymanage.deletions.operations import execution, requests
from purelymanage.domains import sync
from purelymanage.domains.models import Domain
from purelymanage.mailboxes.models import Mailbox
from purelymanage.routing.models import Rule
from tests.deletions.cases import BOX, DeletionTestCase, ask


class WorkingTests(DeletionTestCase):
    def test_it_deletes_a_mailbox_and_reads_back(self) -> None:
        deletion = ask(self.adam, BOX, reason="left")
        self.make_due(deletion)
        execution.execute_due()
        self.assertEqual(self.state(deletion), "deleted")
        self.assertFalse(self.is_remote())
        self.assertEqual(self.sandbox.calls.count("deleteUser"), 1)
        self.assertLess(
            self.sandbox.calls.names.index("deleteUser"),
            len(self.sandbox.calls.names) - 1,
        )
        self.assertIsNotNone(Mailbox.objects.get(address=BOX).gone_at)
        self.assertEqual(
            self.sentences()[-1],
            f"The panel deleted {BOX}, as adam@example.org had asked",
        )

    def test_the_next_sync_has_no_news(self) -> None:
        self.make_due(ask(self.adam, BOX))
        execution.execute_due()
        self.wait(minutes=1)
        sync.sync(actor=Agent.PANEL)
        self.assertFalse(Entry.objects.filter(event="mailbox.vanished").exists())
        self.assertIsNotNone(Mailbox.objects.get(address=BOX).gone_at)

    def test_it_deletes_a_domain_with_all_in_it(self) -> None:
        inside = ask(self.adam, BOX)
        deletion = ask(self.adam, "example.org", kind="domain")
        self.make_due(deletion)
        execution.execute_due()
        self.assertEqual(self.state(deletion), "deleted")
        self.assertNotIn("example.org", self.sandbox.account.state.domains)
        self.assertFalse(Domain.objects.present().filter(name="example.org").exists())
        for rows in (Mailbox.objects.present(), Rule.objects.present()):
            self.assertFalse(rows.filter(domain="example.org").exists())
        self.assertEqual(self.state(inside), "deleted")
        self.assertEqual(inside.note, "It went with example.org")
        self.wait(minutes=1)
        sync.sync(actor=Agent.PANEL)
        self.assertFalse(Entry.objects.filter(event__endswith=".vanished").exists())

    def test_it_deletes_a_rule(self) -> None:
        rule = Rule.objects.present().first()
        assert rule is not None
        deletion = ask(self.adam, str(rule.remote_id), kind="rule")
        self.make_due(deletion)
        execution.execute_due()
        self.assertEqual(self.state(deletion), "deleted")
        left = {it.id for it in self.sandbox.account.state.rules}
        self.assertNotIn(rule.remote_id, left)

    def test_what_went_outside_counts_as_done(self) -> None:
        deletion = ask(self.adam, BOX)
        self.remote("deleteUser", userName=BOX)
        self.make_due(deletion)
        execution.execute_due()
        self.assertEqual(self.state(deletion), "deleted")
        self.assertIn("outside this panel", deletion.note)
        self.assertEqual(self.sandbox.calls.count("deleteUser"), 0)

    def test_the_command_says_what_it_did(self) -> None:
        self.make_due(ask(self.adam, BOX))
        out = StringIO()
        call_command("execute_due_deletions", "--dry-run", stdout=out)
        self.assertEqual(out.getvalue(), f"{BOX}: due\n")
        self.assertTrue(self.is_remote())
        call_command("execute_due_deletions", stdout=out)
        self.assertTrue(out.getvalue().endswith(f"{BOX}: deleted\n"))
        self.assertFalse(self.is_remote())


class GrownTests(DeletionTestCase):
    def test_a_domain_that_gained_a_mailbox_stops(self) -> None:
        deletion = ask(self.adam, "shop.example", kind="domain")
        self.remote(
            "createUser", userName="new", domainName="shop.example", password="x" * 12
        )
        self.make_due(deletion)
        execution.execute_due()
        self.assertEqual(self.state(deletion), "paused")
        self.assertIn("new@shop.example", deletion.note)
        self.assertIn("shop.example", self.sandbox.account.state.domains)

        # The mirror does not know it yet, whoever looks again does.
        self.assertFalse(Mailbox.objects.filter(address="new@shop.example").exists())
        Mailbox.objects.create(address="later@shop.example", domain="shop.example")
        impact = requests.impact_now(deletion, self.olga)
        requests.look_again(deletion=deletion, shown=impact.digest, actor=self.olga)
        joined = {"the mailbox new@shop.example", "the mailbox later@shop.example"}
        deletion.refresh_from_db()
        self.assertLessEqual(joined, deletion.foreseen.facts)
        self.assertEqual(self.state(deletion), "waiting")
        self.assertEqual(deletion.requested_by, self.olga)
        self.make_due(deletion)
        execution.execute_due()
        self.assertEqual(self.state(deletion), "deleted")

    def test_a_rule_that_joined_is_counted_once_by_mirror_and_look(self) -> None:
        deletion = ask(self.adam, BOX)
        before = len(deletion.foreseen.facts)
        self.remote(
            "createRoutingRule",
            domainName="example.org",
            matchUser="joined",
            prefix=False,
            targetAddresses=[BOX],
        )
        self.make_due(deletion)
        execution.execute_due()
        self.assertEqual(self.state(deletion), "paused")
        stale = requests.impact_now(deletion, self.olga)
        self.assertEqual(len(stale.facts), before + 1)
        self.wait(minutes=1)
        sync.sync(actor=Agent.PANEL)
        fresh = requests.impact_now(deletion, self.olga)
        self.assertEqual(fresh.summary, stale.summary)
        self.assertEqual(fresh.digest, stale.digest)

    def test_what_shrank_goes_on(self) -> None:
        deletion = ask(self.adam, "example.org", kind="domain")
        self.remote("deleteUser", userName=BOX)
        self.make_due(deletion)
        execution.execute_due()
        self.assertEqual(self.state(deletion), "deleted")


class TroubleTests(DeletionTestCase):
    def due(self) -> PendingDeletion:
        deletion = ask(self.adam, BOX)
        self.make_due(deletion)
        return deletion

    def test_an_outage_postpones(self) -> None:
        deletion = self.due()
        self.fault("status_500", times=None)
        execution.execute_due()
        self.assertEqual(self.state(deletion), "waiting")
        self.assertEqual(self.sandbox.calls.count("deleteUser"), 0)
        self.sandbox.faults.clear()
        self.run_until(self.now + timedelta(minutes=2))
        self.assertEqual(self.state(deletion), "deleted")

    @pytest.mark.slow
    def test_a_long_outage_ends_well(self) -> None:
        deletion = self.due()
        self.fault("status_500", times=None)
        self.run_until(self.now + timedelta(hours=20))
        self.assertEqual(self.state(deletion), "waiting")
        self.sandbox.faults.clear()
        self.run_until(self.now + timedelta(hours=2))
        self.assertEqual(self.state(deletion), "deleted")

    def test_an_answer_that_got_lost_is_settled_by_the_list(self) -> None:
        deletion = self.due()
        self.fault("drop_after", "deleteUser")
        execution.execute_due()
        self.assertEqual(self.state(deletion), "deleted")
        self.assertEqual(self.sandbox.calls.count("deleteUser"), 1)

    def test_a_call_that_got_lost_is_made_again_later(self) -> None:
        deletion = self.due()
        self.fault("drop", "deleteUser")
        execution.execute_due()
        self.assertEqual(self.state(deletion), "deleting")
        # It may still be carried out, so that nobody may rely on a cancellation.
        cancelled = requests.cancel_deletions(deletions=[deletion], actor=self.olga)
        self.assertEqual(cancelled, 0)
        self.run_until(self.now + timedelta(minutes=10))
        self.assertEqual(self.state(deletion), "deleted")

    @pytest.mark.slow
    def test_a_success_that_is_none_fails_in_the_end(self) -> None:
        deletion = self.due()
        self.fault("silent_success", "deleteUser", times=None)
        self.run_until(self.now + timedelta(hours=14))
        self.assertEqual(self.state(deletion), "failed")
        self.assertIn("nothing changed", deletion.note)
        self.assertTrue(self.is_remote())

    def test_a_refusal_ends_it(self) -> None:
        deletion = self.due()
        self.fault("error", "deleteUser", message="Not today.")
        execution.execute_due()
        self.assertEqual(self.state(deletion), "failed")
        self.assertEqual(deletion.note, "PurelyMail refused: Not today.")

    def test_an_empty_list_is_not_believed(self) -> None:
        for operation in ("listUser", "listRoutingRules"):
            deletion = self.due()
            self.fault("empty_list", operation, times=None)
            execution.execute_due()
            with self.subTest(operation=operation):
                self.assertEqual(self.state(deletion), "waiting")
                self.assertTrue(self.is_remote())
            self.sandbox.faults.clear()
            requests.cancel_deletions(deletions=[deletion], actor=self.olga)

    def test_a_wrong_token_postpones(self) -> None:
        deletion = self.due()
        with self.settings(PURELYMAIL_API_TOKEN="wrong"):
            execution.execute_due()
        self.assertEqual(self.state(deletion), "waiting")


class SyncTests(DeletionTestCase):
    def test_a_sync_before_the_end_is_settled_tells_no_tales(self) -> None:
        self.make_due(ask(self.adam, BOX))
        self.wait(minutes=1)
        self.fault("drop_after", "deleteUser")
        with mock.patch.object(
            execution, "_look", side_effect=lambda *_, **__: self.sync()
        ):
            execution.execute_due()
        self.assertFalse(Entry.objects.filter(event="mailbox.vanished").exists())

    def sync(self) -> None:
        self.wait(seconds=1)
        sync.sync(actor=Agent.PANEL)
