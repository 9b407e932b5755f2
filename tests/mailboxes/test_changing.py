"""Changing a mailbox, whatever PurelyMail answers."""

from __future__ import annotations

from datetime import timedelta
from unittest import mock

from django.utils import timezone

from purelymanage.audit.models import Entry
from purelymanage.errors import Refused
from purelymanage.mailboxes import tasks
from purelymanage.mailboxes.models import Change, Mailbox
from purelymanage.mailboxes.operations.changing import NotChanged
from purelymanage.mailboxes.operations.flags import set_flags
from purelymanage.purelymail import client
from tests.sandbox import SandboxTestCase

ADDRESS = "orders@shop.example"


class ChangingTests(SandboxTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(client, "PAUSES", ()))
        self.mailbox = Mailbox.objects.create(address=ADDRESS, domain="shop.example")

    def switch(self, *, on: bool = False) -> None:
        set_flags(mailbox=self.mailbox, search_indexing=on, actor=self.adam)

    @property
    def is_indexed(self) -> bool:
        return self.sandbox.account.state.users[ADDRESS].search_indexing

    def outcome(self) -> tuple[str, str]:
        event = Entry.objects.order_by("-sequence").values_list("event", flat=True)
        return Change.objects.latest("pk").state, str(event.first())

    def test_it_is_done_and_told(self) -> None:
        self.switch()
        self.assertFalse(self.is_indexed)
        self.assertEqual(self.outcome(), ("done", "mailbox.changed"))
        self.assertIn("search indexing off", Entry.objects.latest("pk").sentence)
        self.mailbox.refresh_from_db()
        self.assertFalse(self.mailbox.search_indexing)

    def test_a_refusal_is_told_in_purelymails_words(self) -> None:
        self.fault("error", "modifyUser", message="Not on a Sunday.")
        with self.assertRaisesMessage(NotChanged, "Not on a Sunday."):
            self.switch()
        self.assertEqual(self.outcome(), ("failed", "mailbox.change_failed"))

    def test_success_without_effect_is_told_as_such(self) -> None:
        self.fault("silent_success", "modifyUser")
        with self.assertRaisesMessage(NotChanged, "but nothing changed"):
            self.switch()
        self.assertEqual(self.outcome(), ("failed", "mailbox.change_failed"))

    def test_an_answer_lost_after_the_deed_is_no_failure(self) -> None:
        self.fault("drop_after", "modifyUser")
        self.switch()
        self.assertEqual(self.outcome(), ("done", "mailbox.changed"))

    def test_an_answer_lost_before_the_deed_is_one(self) -> None:
        self.fault("drop", "modifyUser")
        with self.assertRaisesMessage(NotChanged, "was not changed"):
            self.switch()
        self.assertEqual(self.outcome(), ("failed", "mailbox.change_failed"))

    def test_where_nothing_can_be_seen_the_panel_looks_again(self) -> None:
        self.fault("drop_after", "modifyUser")
        self.fault("status_500", "getUser", times=None)
        self.fault("status_500", "listUser", times=None)
        with self.assertRaisesMessage(NotChanged, "Nobody knows yet"):
            self.switch()
        with self.assertRaisesMessage(Refused, "is just being changed"):
            self.switch()

        self.sandbox.faults.clear()
        Change.objects.update(requested_at=timezone.now() - timedelta(minutes=6))
        tasks.fill_in_details()
        self.assertEqual(self.outcome(), ("done", "mailbox.changed"))
        self.assertEqual(Entry.objects.latest("pk").actor, self.adam)

    def test_what_looking_shows_meanwhile_is_not_taken_for_somebody_elses(self) -> None:
        tasks.read_details(self.mailbox.pk)
        self.fault("drop_after", "modifyUser")
        self.fault("status_500", "getUser", times=None)
        with self.assertRaisesMessage(NotChanged, "Nobody knows yet"):
            self.switch()

        self.sandbox.faults.clear()
        self.assertFalse(self.is_indexed)
        self.sandbox.account.state.users[ADDRESS].two_factor = True
        tasks.read_details(self.mailbox.pk)
        self.assertEqual(
            str(Entry.objects.get()),
            f"Somebody outside this panel changed {ADDRESS}: two-factor sign-in on",
        )
        Change.objects.update(requested_at=timezone.now() - timedelta(minutes=6))
        tasks.fill_in_details()
        self.assertEqual(self.outcome(), ("done", "mailbox.changed"))
        self.assertEqual(Entry.objects.latest("pk").actor, self.adam)

    def test_one_that_cannot_be_found_out_does_not_hold_up_the_others(self) -> None:
        returns = Mailbox.objects.create(
            address="returns@shop.example", domain="shop.example"
        )
        for mailbox in (self.mailbox, returns):
            Change.objects.create(
                mailbox=mailbox,
                kind=Change.Kind.FLAGS,
                wanted={"search_indexing": True},
                requested_by=self.adam,
                requested_at=timezone.now() - timedelta(minutes=6),
            )
        user = self.sandbox.account.state.users[ADDRESS]
        user.two_factor = "perhaps"  # type: ignore[assignment]  # that is the point
        tasks.fill_in_details()
        self.assertEqual(returns.changes.get().state, "done")
        self.assertEqual(self.mailbox.changes.get().state, "asked")
        user.two_factor = False
        tasks.fill_in_details()
        self.assertEqual(self.mailbox.changes.get().state, "done")

    def test_a_mailbox_of_foreign_domains_is_not_touched(self) -> None:
        Mailbox.objects.filter(pk=self.mailbox.pk).update(domain="example.org")
        self.mailbox.refresh_from_db()
        with self.assertRaisesMessage(NotChanged, "not at PurelyMail any more"):
            set_flags(mailbox=self.mailbox, search_indexing=False, actor=self.lina)
        self.assertTrue(self.is_indexed)
