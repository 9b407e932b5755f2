from __future__ import annotations

from datetime import timedelta
from unittest import mock

from purelymanage.audit.models import Agent, Entry
from purelymanage.deletions.models import PendingDeletion, Precaution
from purelymanage.deletions.operations import execution, requests, restoring
from purelymanage.deletions.tasks import see_to_precautions
from purelymanage.domains import sync
from purelymanage.errors import Refused
from purelymanage.imap.errors import LoginRefused, Unreachable
from purelymanage.mailboxes.operations import passwords
from purelymanage.routing.models import Rule
from tests.deletions.cases import BOX, DeletionTestCase, ask

TARGET = "office@example.org"


class RouteTests(DeletionTestCase):
    def rule_is_there(self) -> bool:
        return any(
            f"{rule.match_user}@{rule.domain}" == BOX and rule.targets == [TARGET]
            for rule in self.sandbox.account.state.rules
        )

    def precaution(self) -> Precaution:
        return Precaution.objects.get()

    def test_mail_goes_elsewhere_and_stays_there(self) -> None:
        deletion = ask(self.adam, BOX, route_to=TARGET)
        see_to_precautions()
        self.assertEqual(self.precaution().state, "taken")
        self.assertTrue(self.rule_is_there())
        self.make_due(deletion)
        execution.execute_due()
        self.assertEqual(self.state(deletion), "deleted")
        see_to_precautions()
        self.assertTrue(self.rule_is_there())

    def test_the_next_sync_has_no_news(self) -> None:
        ask(self.adam, BOX, route_to=TARGET)
        see_to_precautions()
        self.wait(minutes=1)
        sync.sync(actor=Agent.PANEL)
        self.assertFalse(Entry.objects.filter(event="rule.appeared").exists())

    def test_cancelling_removes_the_rule(self) -> None:
        deletion = ask(self.adam, BOX, route_to=TARGET)
        see_to_precautions()
        requests.cancel_deletions(deletions=[deletion], actor=self.olga)
        see_to_precautions()
        self.assertEqual(self.precaution().state, "undone")
        self.assertFalse(self.rule_is_there())
        self.assertFalse(Rule.objects.present().filter(match_user="anna").exists())

    def test_cancelling_at_once_does_nothing_at_all(self) -> None:
        deletion = ask(self.adam, BOX, route_to=TARGET)
        requests.cancel_deletions(deletions=[deletion], actor=self.olga)
        see_to_precautions()
        self.assertEqual(self.precaution().state, "undone")
        self.assertEqual(self.sandbox.calls.names, [])

    def test_a_rule_that_was_there_before_stays(self) -> None:
        self.remote(
            "createRoutingRule",
            domainName="example.org",
            matchUser="anna",
            prefix=False,
            targetAddresses=[TARGET],
        )
        deletion = ask(self.adam, BOX, route_to=TARGET)
        see_to_precautions()
        requests.cancel_deletions(deletions=[deletion], actor=self.olga)
        see_to_precautions()
        self.assertTrue(self.rule_is_there())

    def test_an_empty_list_leaves_the_rule_to_be_removed_later(self) -> None:
        deletion = ask(self.adam, BOX, route_to=TARGET)
        see_to_precautions()
        requests.cancel_deletions(deletions=[deletion], actor=self.olga)
        self.fault("empty_list", "listRoutingRules")
        see_to_precautions()
        self.assertEqual(self.precaution().state, "undoing")
        self.wait(minutes=5)
        see_to_precautions()
        self.assertEqual(self.precaution().state, "undone")
        self.assertFalse(self.rule_is_there())

    def test_a_lost_answer_is_settled_by_the_list(self) -> None:
        deletion = ask(self.adam, BOX, route_to=TARGET)
        self.fault("drop_after", "createRoutingRule")
        see_to_precautions()
        self.assertEqual(self.precaution().state, "taken")
        requests.cancel_deletions(deletions=[deletion], actor=self.olga)
        see_to_precautions()
        self.assertFalse(self.rule_is_there())

    def test_a_worker_that_died_is_followed_by_the_next(self) -> None:
        ask(self.adam, BOX, route_to=TARGET)
        with (
            mock.patch(
                "purelymanage.deletions.operations.precautions._note_taken",
                side_effect=KeyboardInterrupt,
            ),
            self.assertRaises(KeyboardInterrupt),
        ):
            see_to_precautions()
        self.assertEqual(see_to_precautions(), "0 seen to")
        self.wait(minutes=6)
        see_to_precautions()
        self.assertEqual(self.precaution().state, "taken")
        requests.cancel_deletions(
            deletions=list(PendingDeletion.objects.all()), actor=self.olga
        )
        see_to_precautions()
        self.assertFalse(self.rule_is_there())

    def test_a_conflict_is_told(self) -> None:
        self.remote(
            "createRoutingRule",
            domainName="example.org",
            matchUser="anna",
            prefix=False,
            targetAddresses=["else@example.org"],
        )
        ask(self.adam, BOX, route_to=TARGET)
        see_to_precautions()
        self.assertEqual(self.precaution().state, "failed")
        self.assertIn("conflicts", self.precaution().note)


class LockTests(DeletionTestCase):
    def lock(self, outcome: Exception | None = None) -> Precaution:
        # The sandbox of these tests has no IMAP; what is looked at is the API.
        with (
            mock.patch.object(passwords, "check_login", side_effect=outcome),
            mock.patch.object(passwords, "PAUSES", ()),
        ):
            see_to_precautions()
        return Precaution.objects.get()

    def works(self, password: str) -> bool:
        return self.sandbox.account.log_in(BOX, password) is not None

    def test_the_old_password_does_not_open_it_any_more(self) -> None:
        self.remote("modifyUser", userName=BOX, newPassword="the-old-one")
        deletion = ask(self.adam, BOX, lock=True)
        self.assertTrue(self.works("the-old-one"))
        self.assertEqual(self.lock().state, "taken")
        self.assertFalse(self.works("the-old-one"))

        requests.cancel_deletions(deletions=[deletion], actor=self.olga)
        precaution = Precaution.objects.get()
        self.assertEqual(precaution.state, "kept")
        self.assertIn("cannot come back", precaution.note)

    def test_it_is_believed_when_the_new_password_opens_it(self) -> None:
        ask(self.adam, BOX, lock=True)
        precaution = self.lock(Unreachable("no answer"))
        self.assertEqual(precaution.state, "asked")
        self.assertIn("could not be tried", precaution.note)
        self.wait(minutes=2)
        self.assertEqual(self.lock(LoginRefused("no")).state, "asked")
        self.wait(timedelta(minutes=5))
        self.assertEqual(self.lock().state, "taken")


class RestoringTests(DeletionTestCase):
    def deleted_rule(self) -> PendingDeletion:
        rule = Rule.objects.present().first()
        assert rule is not None
        deletion = ask(self.adam, str(rule.remote_id), kind="rule")
        self.make_due(deletion)
        execution.execute_due()
        self.assertEqual(self.state(deletion), "deleted")
        return deletion

    def test_a_rule_is_created_again(self) -> None:
        before = Rule.objects.present().count()
        deletion = self.deleted_rule()
        self.client.force_login(self.adam)
        self.assertContains(self.client.get("/deletions/"), "Create again")
        self.client.post(f"/deletions/{deletion.pk}/create-again/")
        self.assertEqual(Rule.objects.present().count(), before)
        self.assertEqual(len(self.sandbox.account.state.rules), before)
        self.assertNotContains(self.client.get("/deletions/"), "Create again<")
        self.assertTrue(self.sentences()[-1].endswith("which had been deleted"))

    def test_a_lost_answer_does_no_harm(self) -> None:
        deletion = self.deleted_rule()
        self.fault("drop_after", "createRoutingRule")
        restoring.create_again(deletion=deletion, actor=self.adam)
        restoring.create_again(deletion=deletion, actor=self.adam)
        self.assertEqual(self.sandbox.calls.count("createRoutingRule"), 1)

    def test_it_is_created_again_only_once(self) -> None:
        deletion = self.deleted_rule()
        restoring.create_again(deletion=deletion, actor=self.adam)
        again = ask(self.adam, restored(deletion), kind="rule")
        self.make_due(again)
        execution.execute_due()
        before = len(self.sandbox.account.state.rules)
        deletion.refresh_from_db()
        with self.assertRaisesMessage(Refused, "again already"):
            restoring.create_again(deletion=deletion, actor=self.adam)
        self.assertEqual(len(self.sandbox.account.state.rules), before)

    def test_a_domain_that_is_to_be_deleted_gets_no_rule_back(self) -> None:
        deletion = self.deleted_rule()
        ask(self.adam, deletion.domain, kind="domain")
        with self.assertRaisesMessage(Refused, "frozen"):
            restoring.create_again(deletion=deletion, actor=self.adam)
        self.assertEqual(self.sandbox.calls.count("createRoutingRule"), 0)

    def test_a_success_that_is_none_is_told(self) -> None:
        deletion = self.deleted_rule()
        self.fault("silent_success", "createRoutingRule")
        with self.assertRaisesMessage(Refused, "nothing changed"):
            restoring.create_again(deletion=deletion, actor=self.adam)


def restored(deletion: PendingDeletion) -> str:
    """Return the id that a rule has since it was created again."""
    rules = Rule.objects.present().filter(domain=deletion.domain)
    return str(rules.latest("first_seen_at").remote_id)
