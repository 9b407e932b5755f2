"""What each kind of bulk change does to a mailbox, begun anew or for the first time."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from purelymanage.accounts.models import Organisation
from purelymanage.deletions.models import PendingDeletion
from purelymanage.deletions.operations import requests
from purelymanage.errors import Refused
from purelymanage.mailboxes.bulk import deciding, drafts
from purelymanage.mailboxes.models import Bulk, BulkRow, Change, HandOver, Mailbox
from tests.account import add_deletion
from tests.mailboxes.bulk.cases import BulkTestCase

State = BulkRow.State
ORDERS, RETURNS, LARS = (
    "orders@shop.example",
    "returns@shop.example",
    "lars.holm@shop.example",
)


class SelectionTestCase(BulkTestCase):
    kind: Bulk.Kind

    def draft(self, *addresses: str) -> Bulk:
        return drafts.draft_bulk(kind=self.kind, addresses=addresses, actor=self.adam)

    def carry_out(self, bulk: Bulk, **wishes: object) -> dict[str, int]:
        self.start(bulk, self.adam, **wishes)
        self.work()
        return self.counts(bulk)


class DraftTests(SelectionTestCase):
    kind = Bulk.Kind.TAG

    def test_what_cannot_be_changed_is_left_out_with_its_reason(self) -> None:
        add_deletion(self.adam, RETURNS)
        bulk = self.draft(ORDERS, RETURNS, "nobody@shop.example")
        states = dict(bulk.rows.values_list("address", "state"))
        self.assertEqual(states[ORDERS], State.WAITING)
        self.assertEqual(states[RETURNS], State.LEFT_OUT)
        reasons = " ".join(bulk.rows.values_list("reason", flat=True))
        self.assertIn("It is to be deleted and frozen", reasons)
        self.assertIn("no such mailbox", reasons)
        self.assertEqual(self.carry_out(bulk, add=["x"])[State.LEFT_OUT], 2)

    def test_it_begins_once(self) -> None:
        bulk = self.draft(ORDERS)
        self.start(bulk, self.adam, add=["x"])
        with self.assertRaisesMessage(Refused, deciding.TOO_LATE):
            self.start(bulk, self.adam, add=["x"])

    def test_nothing_begins_where_nothing_is_to_do(self) -> None:
        bulk = self.draft("nobody@shop.example")
        with self.assertRaisesMessage(Refused, deciding.NOTHING):
            self.start(bulk, self.adam, add=["x"])

    def test_foreign_domains_are_not_there(self) -> None:
        bulk = drafts.draft_bulk(
            kind=Bulk.Kind.TAG, addresses=[ORDERS, "anna@example.org"], actor=self.lina
        )
        self.assertEqual(bulk.rows.get(state=State.LEFT_OUT).reason, drafts.GONE)
        self.assertEqual(bulk.domains, ["shop.example"])
        with self.assertRaises(Refused):
            drafts.draft_bulk(kind=Bulk.Kind.TAG, addresses=[ORDERS], actor=self.hedy)


class TagTests(SelectionTestCase):
    kind = Bulk.Kind.TAG

    def test_tags_come_and_go_without_any_call(self) -> None:
        Mailbox.objects.filter(address=ORDERS).update(tags=["old", "shop"])
        Mailbox.objects.filter(address=RETURNS).update(tags=["new"])
        self.sandbox.calls.clear()
        counts = self.carry_out(
            self.draft(ORDERS, RETURNS), add=["new"], remove=["old"]
        )
        self.assertEqual(counts, {State.DONE: 1, State.SAME: 1})
        self.assertEqual(Mailbox.objects.get(address=ORDERS).tags, ["shop", "new"])
        self.assertEqual(Mailbox.objects.get(address=RETURNS).tags, ["new"])
        self.assertEqual(self.sandbox.calls.names, [])
        self.assertEqual(self.events("mailbox.noted").count(), 1)


class FlagsTests(SelectionTestCase):
    kind = Bulk.Kind.FLAGS

    def test_only_what_is_not_so_yet_is_switched(self) -> None:
        self.users()[RETURNS].search_indexing = False
        bulk = self.draft(ORDERS, RETURNS)
        counts = self.carry_out(bulk, flags={"search_indexing": False})
        self.assertEqual(counts, {State.DONE: 1, State.SAME: 1})
        self.assertFalse(self.users()[ORDERS].search_indexing)
        self.assertEqual(self.sandbox.calls.count("modifyUser"), 1)

    def test_nobody_is_locked_out_by_a_second_factor(self) -> None:
        self.users()[ORDERS].reset_methods = []
        bulk = self.draft(ORDERS)
        counts = self.carry_out(bulk, flags={"two_factor": True})
        self.assertEqual(counts, {State.FAILED: 1})
        self.assertIn("no recovery method", bulk.rows.get().reason)
        self.assertEqual(self.sandbox.calls.count("modifyUser"), 0)

    def test_what_a_dead_worker_asked_for_is_looked_at(self) -> None:
        bulk = self.draft(ORDERS)
        self.start(bulk, self.adam, flags={"search_indexing": False})
        started = timezone.now() - timedelta(seconds=2)
        bulk.rows.update(state=State.WORKING, attempt=1, started_at=started)
        Change.objects.create(
            mailbox=Mailbox.objects.get(address=ORDERS),
            kind=Change.Kind.FLAGS,
            wanted={"search_indexing": False},
            requested_by=self.adam,
        )
        self.users()[ORDERS].search_indexing = False
        self.work()
        self.assertEqual(self.counts(bulk), {State.DONE: 1})
        self.assertEqual(Change.objects.get().state, Change.State.DONE)
        self.assertEqual(self.sandbox.calls.count("modifyUser"), 0)


class ResetTests(SelectionTestCase):
    kind = Bulk.Kind.RESET

    def test_each_gets_a_password_and_a_link(self) -> None:
        bulk = self.draft(ORDERS, RETURNS)
        counts = self.carry_out(bulk, revoke_app_passwords=True)
        self.assertEqual(counts, {State.DONE: 2})
        self.assertTrue(self.has_usable_password(ORDERS))
        self.assertTrue(self.has_usable_password(RETURNS))
        self.assertFalse(bulk.rows.exclude(secret="").exists())

    def test_after_a_crash_the_same_password_is_set(self) -> None:
        bulk = self.draft(ORDERS)
        self.start(bulk, self.adam)
        self.fault("drop_after", "modifyUser")
        self.work()
        self.assertTrue(self.has_usable_password(ORDERS))
        passwords = [
            call.body["newPassword"]
            for call in self.sandbox.calls
            if call.operation == "modifyUser"
        ]
        self.assertEqual(len(passwords), 2)
        self.assertEqual(len(set(passwords)), 1)
        self.assertEqual(HandOver.objects.open().count(), 1)


class DeleteTests(SelectionTestCase):
    kind = Bulk.Kind.DELETE

    def shown(self, *addresses: str) -> str:
        chosen = requests.subjects("mailbox", list(addresses), self.adam)
        return requests.digest(requests.impacts_of("mailbox", chosen))

    def test_they_wait_in_the_queue_of_deletions(self) -> None:
        bulk = self.draft(ORDERS, RETURNS)
        counts = self.carry_out(bulk, shown=self.shown(ORDERS, RETURNS), reason="Gone")
        self.assertEqual(counts, {State.DONE: 2})
        found = PendingDeletion.objects.order_by("key")
        self.assertEqual([it.key for it in found], [ORDERS, RETURNS])
        self.assertEqual({it.state for it in found}, {"waiting"})
        self.assertEqual(self.sandbox.calls.count("deleteUser"), 0)

    def test_a_second_person_is_asked_for_all_of_them(self) -> None:
        Organisation.objects.update_or_create(
            pk=1, defaults={"second_person_required": True}
        )
        bulk = self.draft(ORDERS, RETURNS)
        self.carry_out(bulk, shown=self.shown(ORDERS, RETURNS))
        states = set(PendingDeletion.objects.values_list("state", flat=True))
        self.assertEqual(states, {"approval"})

    def test_nobody_agrees_to_more_than_was_shown(self) -> None:
        bulk = self.draft(ORDERS, RETURNS)
        counts = self.carry_out(bulk, shown="something else")
        self.assertEqual(counts, {State.FAILED: 2})
        self.assertFalse(PendingDeletion.objects.exists())

    def test_a_crash_after_the_request_asks_for_nothing_twice(self) -> None:
        bulk = self.draft(ORDERS, LARS)
        self.start(bulk, self.adam, shown=self.shown(ORDERS, LARS))
        for address in (ORDERS, LARS):
            add_deletion(self.adam, address)
        self.work()
        self.assertEqual(self.counts(bulk), {State.DONE: 2})
        self.assertEqual(PendingDeletion.objects.count(), 2)
