"""App passwords: made, kept, and gone when they were seen not to work any more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from purelymanage.audit.actors import Operator
from purelymanage.audit.models import Entry
from purelymanage.errors import Refused
from purelymanage.mailboxes import tasks
from purelymanage.mailboxes.models import AppPassword, Change, HandOver, Mailbox
from purelymanage.mailboxes.operations import app_passwords as operations
from purelymanage.mailboxes.operations.app_passwords import NotRevoked
from purelymanage.mailboxes.operations.new_app_passwords import (
    NotMade,
    intend,
    make_app_password,
    mint,
)
from purelymanage.purelymail.client import PurelymailClient
from tests.account import add_deletion
from tests.cast import CastTestCase
from tests.migrations.cases import WithMail

ADDRESS = "orders@shop.example"


class AppPasswordTestCase(WithMail, CastTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.mailbox = Mailbox.objects.create(address=ADDRESS, domain="shop.example")

    def make(self, name: str = "Phone") -> tuple[AppPassword, str]:
        made = make_app_password(
            mailbox=self.mailbox, name=name, purpose="", actor=self.adam
        )
        return made.row, made.plain

    def opens(self, plain: str) -> bool:
        return self.sandbox.account.log_in(ADDRESS, plain) is not None

    def events(self) -> list[str]:
        entries = Entry.objects.order_by("sequence")
        return [
            code.partition(".")[2] for code in entries.values_list("event", flat=True)
        ]

    def be_due(self) -> None:
        AppPassword.objects.update(revoke_after=timezone.now())


class MakeAppPasswordTests(AppPasswordTestCase):
    def test_it_opens_the_mailbox_and_is_kept_sealed(self) -> None:
        row, plain = self.make()
        self.assertTrue(self.opens(plain))
        row.refresh_from_db()
        self.assertNotIn(plain, row.secret)
        self.assertIsNone(row.revoke_after)
        entry = Entry.objects.get()
        self.assertEqual(entry.actor, self.adam)
        self.assertIn("“Phone”", entry.sentence)
        self.assertNotIn(plain, str(entry.details))

    def test_a_link_shows_it_once_and_dies_with_it(self) -> None:
        made = make_app_password(
            mailbox=self.mailbox, name="Tv", purpose="", actor=self.adam, by_link=True
        )
        self.assertEqual(made.plain, "")
        link = HandOver.objects.get()
        self.assertEqual(link.what, HandOver.What.APP_PASSWORD)
        operations.revoke_app_password(row=made.row, actor=self.adam)
        link.refresh_from_db()
        self.assertFalse(link.is_open)
        self.assertEqual(link.secret, "")

    def test_no_sweep_touches_it(self) -> None:
        _, plain = self.make()
        AppPassword.objects.update(made_at=timezone.now() - timedelta(days=400))
        tasks.revoke_app_passwords()
        self.assertTrue(self.opens(plain))

    def test_a_refusal_leaves_nothing(self) -> None:
        self.fault("error", "createAppPassword", message="Too many of them.")
        with self.assertRaisesMessage(NotMade, "Too many of them.") as caught:
            self.make()
        self.assertFalse(caught.exception.is_outage)
        self.assertFalse(AppPassword.objects.exists())
        self.assertEqual(self.events(), ["app_password_failed"])

    def test_a_lost_answer_leaves_a_note_that_it_may_exist(self) -> None:
        for kind in ("drop_after", "drop", "silent_success", "status_500"):
            with self.subTest(kind=kind):
                AppPassword.objects.all().delete()
                self.fault(kind, "createAppPassword")
                with self.assertRaisesMessage(NotMade, "Nobody knows") as caught:
                    self.make()
                self.assertTrue(caught.exception.is_outage)
                self.assertTrue(AppPassword.objects.get().may_exist)
                self.assertEqual(self.events()[-1], "app_password_unknown")

    @pytest.mark.slow
    def test_one_that_hangs_after_the_deed_may_exist(self) -> None:
        self.fault("hang_after", "createAppPassword", seconds=1)
        with (
            mock.patch("purelymanage.purelymail.client.TIMEOUT", 0.3),
            self.assertRaisesMessage(NotMade, "Nobody knows"),
        ):
            self.make()
        self.assertTrue(AppPassword.objects.get().may_exist)

    def test_what_may_exist_can_be_taken_off_the_list(self) -> None:
        self.fault("drop_after", "createAppPassword")
        with self.assertRaises(NotMade):
            self.make()
        row = AppPassword.objects.get()
        with self.assertRaisesMessage(NotRevoked, "only its owner can delete it"):
            operations.revoke_app_password(row=row, actor=self.adam)
        operations.forget_app_password(row=row, actor=self.adam)
        self.assertFalse(AppPassword.objects.exists())
        self.assertEqual(self.events()[-1], "app_password_forgotten")

    def test_what_works_cannot(self) -> None:
        row, _ = self.make()
        with self.assertRaisesMessage(Refused, "revoke it instead"):
            operations.forget_app_password(row=row, actor=self.adam)

    def test_a_crash_during_the_call_is_told_later(self) -> None:
        with (
            mock.patch.object(
                PurelymailClient, "create_app_password", side_effect=SystemExit
            ),
            self.assertRaises(SystemExit),
        ):
            self.make()
        self.assertTrue(AppPassword.objects.get().is_being_made)
        tasks.revoke_app_passwords()
        self.assertEqual(self.events(), [], "too early")
        self.be_due()
        tasks.revoke_app_passwords()
        self.assertTrue(AppPassword.objects.get().may_exist)
        self.assertEqual(self.events(), ["app_password_unknown"])
        tasks.revoke_app_passwords()
        self.assertEqual(self.events(), ["app_password_unknown"])

    def test_the_same_name_is_not_taken_twice(self) -> None:
        self.make()
        with self.assertRaisesMessage(NotMade, "called “phone” already"):
            self.make("phone")
        self.assertEqual(self.app_passwords(ADDRESS), 1)

    def test_none_is_made_for_what_is_frozen_suspended_or_foreign(self) -> None:
        Mailbox.objects.update(suspended_at=timezone.now())
        with self.assertRaisesMessage(NotMade, "is suspended"):
            self.make()
        Mailbox.objects.update(suspended_at=None)
        deletion = add_deletion(self.olga, ADDRESS)
        with self.assertRaisesMessage(Refused, "is to be deleted"):
            self.make()
        deletion.delete()
        Mailbox.objects.update(domain="example.org")
        with self.assertRaisesMessage(NotMade, "not at PurelyMail any more"):
            make_app_password(
                mailbox=self.mailbox, name="x", purpose="", actor=self.lina
            )
        self.assertEqual(len(self.sandbox.calls), 0)


class RevokeAppPasswordTests(AppPasswordTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.row, self.plain = self.make()

    def revoke(self) -> None:
        self.row.refresh_from_db()
        operations.revoke_app_password(row=self.row, actor=self.hedy)

    def test_it_stops_working(self) -> None:
        self.revoke()
        self.assertFalse(self.opens(self.plain))
        self.assertFalse(AppPassword.objects.exists())
        entry = Entry.objects.latest("sequence")
        self.assertEqual(entry.event, "mailbox.app_password_revoked")
        self.assertEqual(entry.actor, self.hedy)

    def test_success_without_effect_is_told_and_tried_again(self) -> None:
        self.fault("silent_success", "deleteAppPassword")
        with self.assertRaisesMessage(NotRevoked, "but it still works"):
            self.revoke()
        self.row.refresh_from_db()
        self.assertTrue(self.row.is_being_revoked)
        tasks.revoke_app_passwords()
        self.assertTrue(self.opens(self.plain), "too early")
        self.be_due()
        tasks.revoke_app_passwords()
        self.assertFalse(self.opens(self.plain))
        # Whoever asked for it is remembered.
        self.assertEqual(Entry.objects.latest("sequence").actor, self.hedy)

    def test_a_refusal_is_told(self) -> None:
        self.fault("error", "deleteAppPassword", message="Not on a Sunday.")
        with self.assertRaisesMessage(NotRevoked, "Not on a Sunday."):
            self.revoke()

    def test_a_lost_request_is_tried_again(self) -> None:
        for kind, is_done in (("drop", False), ("drop_after", True)):
            with self.subTest(kind=kind):
                self.fault(kind, "deleteAppPassword")
                with self.assertRaisesMessage(NotRevoked, "could not be reached"):
                    self.revoke()
                self.assertEqual(self.opens(self.plain), not is_done)
        self.be_due()
        tasks.revoke_app_passwords()
        self.assertFalse(AppPassword.objects.exists())

    def test_a_second_failure_is_written_down_once(self) -> None:
        self.fault("silent_success", "deleteAppPassword", times=3)
        with self.assertRaises(NotRevoked):
            self.revoke()
        for _ in range(2):
            self.be_due()
            tasks.revoke_app_passwords()
        self.assertEqual(self.events().count("app_password_left"), 1)

    def test_a_crash_after_the_claim_is_made_good_by_the_sweep(self) -> None:
        with (
            mock.patch.object(
                PurelymailClient, "delete_app_password", side_effect=SystemExit
            ),
            self.assertRaises(SystemExit),
        ):
            self.revoke()
        self.be_due()
        tasks.revoke_app_passwords()
        self.assertFalse(self.opens(self.plain))

    def test_of_two_at_once_one_calls(self) -> None:
        twin = AppPassword.objects.get()
        operations.revoke_app_password(row=self.row, actor=self.hedy)
        with self.assertRaisesMessage(NotRevoked, "being revoked already"):
            operations.revoke_app_password(row=twin, actor=self.adam)

    def test_during_a_rename_a_refused_login_proves_nothing(self) -> None:
        Change.objects.create(mailbox=self.mailbox, kind=Change.Kind.RENAME)
        self.remote("modifyUser", userName=ADDRESS, newUserName="sales@shop.example")
        with self.assertRaisesMessage(NotRevoked, "just being renamed"):
            self.revoke()
        self.assertTrue(AppPassword.objects.exists())

    def remote(self, operation: str, **body: Any) -> dict[str, Any]:
        return self.sandbox.account.call(operation, body)


class RevokeAllTests(AppPasswordTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.make("Phone")
        self.make("Laptop")
        self.copy = intend(address=ADDRESS, name="x", purpose="to copy")
        mint(row=self.copy)

    def test_those_of_people_go_and_those_of_the_panel_stay(self) -> None:
        left = operations.revoke_kept(address=ADDRESS, actor=Operator("root"))
        self.assertEqual(left, [])
        self.assertEqual(AppPassword.objects.get(), self.copy)
        self.assertEqual(self.app_passwords(ADDRESS), 1)
        self.assertEqual(Entry.objects.latest("sequence").actor_name, "root")

    def test_a_mailbox_that_is_locked_loses_all(self) -> None:
        operations.revoke_every(address=ADDRESS, actor=self.adam)
        self.assertEqual(self.app_passwords(ADDRESS), 0)

    def test_what_is_left_is_named_and_revoked_later(self) -> None:
        self.fault("status_500", "deleteAppPassword", times=1)
        [sentence] = operations.revoke_kept(address=ADDRESS, actor=self.adam)
        self.assertIn("“Phone” could not be revoked yet.", sentence)
        self.be_due()
        tasks.revoke_app_passwords()
        self.assertEqual(self.app_passwords(ADDRESS), 0)

    def test_a_crash_in_between_leaves_the_rest_to_the_sweep(self) -> None:
        with (
            mock.patch.object(operations, "check_login", side_effect=SystemExit),
            self.assertRaises(SystemExit),
        ):
            operations.revoke_kept(address=ADDRESS, actor=self.adam)
        self.be_due()
        tasks.revoke_app_passwords()
        self.assertEqual(self.app_passwords(ADDRESS), 0)

    def test_one_that_is_being_made_does_not_survive(self) -> None:
        create = PurelymailClient.create_app_password

        def slowly(client: PurelymailClient, *args: Any, **named: Any) -> str:
            left = operations.revoke_kept(address=ADDRESS, actor=self.adam)
            self.assertIn("“Watch” may exist", left[0])
            return create(client, *args, **named)

        with mock.patch.object(PurelymailClient, "create_app_password", slowly):
            _, plain = self.make("Watch")
        tasks.revoke_app_passwords()
        self.assertFalse(self.opens(plain))
