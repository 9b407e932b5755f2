"""Suspending, with a mail server at which the new password can be tried."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.test import override_settings
from django.utils import timezone

from purelymanage.audit.models import Entry
from purelymanage.deletions import registry
from purelymanage.mailboxes import tasks
from purelymanage.mailboxes.models import AppPassword, Change, HandOver, Mailbox
from purelymanage.mailboxes.operations import passwords
from purelymanage.mailboxes.operations.hand_overs import make_hand_over
from purelymanage.mailboxes.operations.new_app_passwords import make_app_password
from purelymanage.purelymail import client
from purelymanage.purelymail.sandbox.demo import password_of
from tests.account import add_deletion
from tests.cast import HTMX
from tests.migrations.cases import WithMail
from tests.sandbox import SandboxTestCase

ADDRESS = "orders@shop.example"
PAGE = f"/mailboxes/{ADDRESS}/"
PATH = f"{PAGE}suspend/"
OLD = password_of(ADDRESS)
NO_MAIL_SERVER = override_settings(
    PURELYMAIL_IMAP_HOST="127.0.0.1", PURELYMAIL_IMAP_PORT=9
)


class SuspendTests(WithMail, SandboxTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(passwords, "PAUSES", ()))
        self.enterContext(mock.patch.object(client, "PAUSES", ()))
        logging.disable(logging.ERROR)
        self.addCleanup(logging.disable, logging.NOTSET)
        self.mailbox = Mailbox.objects.create(address=ADDRESS, domain="shop.example")
        self.client.force_login(self.adam)

    @property
    def lets_in(self) -> bool:
        """Whether the owner still gets in."""
        return self.sandbox.account.log_in(ADDRESS, OLD) is not None

    def suspend(self, status: int = 302, **extra: Any) -> Any:
        r = self.client.post(PATH, **extra)
        self.assertEqual(r.status_code, status)
        self.mailbox.refresh_from_db()
        return r

    def outcome(self) -> tuple[str, str]:
        entry = Entry.objects.filter(event__startswith="mailbox.").latest("sequence")
        return Change.objects.latest("pk").state, entry.event

    def give_up(self) -> None:
        Change.objects.update(requested_at=timezone.now() - timedelta(minutes=6))
        tasks.fill_in_details()
        self.mailbox.refresh_from_db()

    def test_the_owner_is_out_and_mail_goes_on(self) -> None:
        self.assertContains(self.client.get(PATH), "Mail keeps arriving")
        r = self.suspend(200, headers=HTMX)
        self.assertContains(r, "The mailbox is suspended.")
        self.assertContains(r, "Nobody knows its password.")
        self.assertFalse(self.lets_in)
        self.assertIsNotNone(self.mailbox.suspended_at)
        self.assertEqual(self.outcome(), ("done", "mailbox.suspended"))
        self.assertEqual(Entry.objects.latest("pk").actor, self.adam)
        self.assertContains(self.client.get(PAGE), "Suspended")

    @pytest.mark.slow
    def test_app_passwords_of_the_panel_go(self) -> None:
        make_app_password(
            mailbox=self.mailbox, name="Phone", purpose="", actor=self.adam
        )
        self.remote("createAppPassword", userHandle=ADDRESS, name="Outside")
        self.assertContains(self.client.get(PATH), "1 app password made here is")
        self.suspend()
        self.assertFalse(AppPassword.objects.exists())
        # Nobody here knows this one; the page says so.
        self.assertEqual(self.app_passwords(ADDRESS), 1)
        self.assertContains(self.client.get(PAGE), "perhaps go on working")

    def test_links_to_its_passwords_show_nothing_any_more(self) -> None:
        for what in HandOver.What:
            make_hand_over(
                mailbox=self.mailbox, password="x", actor=self.adam, what=what
            )
        self.suspend()
        self.assertFalse(HandOver.objects.open().exists())

    def test_nor_do_they_once_it_is_locked_before_its_deletion(self) -> None:
        for what in HandOver.What:
            make_hand_over(
                mailbox=self.mailbox, password="x", actor=self.adam, what=what
            )
        registry.precaution("lock").take(client.get_client(), ADDRESS, "")
        self.assertFalse(self.lets_in)
        self.assertFalse(HandOver.objects.open().exists())
        told = Entry.objects.filter(event="mailbox.hand_over_withdrawn")
        self.assertContains(self.client.get(PAGE), "locked until its deletion")
        self.assertEqual(told.count(), 2)

    def test_with_two_factor_sign_in_it_says_that_nobody_could_try(self) -> None:
        self.remote(
            "upsertPasswordReset", userName=ADDRESS, type="email", target="a@b.example"
        )
        self.remote("modifyUser", userName=ADDRESS, requireTwoFactorAuthentication=True)
        r = self.suspend(200, headers=HTMX)
        self.assertContains(r, "nobody has tried it")
        self.assertIsNotNone(self.mailbox.suspended_at)
        self.assertEqual(self.outcome(), ("done", "mailbox.suspended_untried"))
        user = self.sandbox.account.state.users[ADDRESS]
        self.assertTrue(user.two_factor)

    def test_a_refusal_is_told(self) -> None:
        self.fault("error", "modifyUser", message="Not on a Sunday.")
        self.assertContains(self.suspend(422), "Not on a Sunday.", status_code=422)
        self.assert_nothing_happened()

    def test_success_without_effect_is_told(self) -> None:
        make_app_password(
            mailbox=self.mailbox, name="Phone", purpose="", actor=self.adam
        )
        self.fault("silent_success", "modifyUser")
        self.assertContains(self.suspend(422), "nothing changed", status_code=422)
        self.assert_nothing_happened()
        self.assertTrue(AppPassword.objects.exists())

    def test_an_answer_lost_before_the_deed_is_told(self) -> None:
        self.fault("drop", "modifyUser")
        said = "was not suspended. PurelyMail could not be reached"
        self.assertContains(self.suspend(502), said, status_code=502)
        self.assert_nothing_happened()

    @pytest.mark.slow
    def test_an_answer_lost_after_the_deed_is_no_failure(self) -> None:
        for fault in ("drop_after", "hang_after"):
            with self.subTest(fault=fault):
                self.sandbox.reset()
                Mailbox.objects.update(suspended_at=None)
                self.fault(fault, "modifyUser")
                with self.timeout(0.4, "modifyUser"):
                    self.suspend()
                self.assertFalse(self.lets_in)
                self.assertIsNotNone(self.mailbox.suspended_at)

    def assert_nothing_happened(self) -> None:
        self.assertTrue(self.lets_in)
        self.assertIsNone(self.mailbox.suspended_at)
        self.assertEqual(self.outcome(), ("failed", "mailbox.change_failed"))

    @pytest.mark.slow
    def test_what_nobody_knows_is_done_again_until_it_is_known(self) -> None:
        make_app_password(
            mailbox=self.mailbox, name="Phone", purpose="", actor=self.adam
        )
        self.fault("drop_after", "modifyUser")
        with NO_MAIL_SERVER:
            r = self.suspend(502)
        self.assertContains(r, "Nobody knows yet", status_code=502)
        self.assertIsNone(self.mailbox.suspended_at)
        self.assertContains(self.client.get(PAGE), "Its answer is awaited")

        self.give_up()
        self.assertFalse(self.lets_in)
        self.assertFalse(AppPassword.objects.exists())
        self.assertIsNotNone(self.mailbox.suspended_at)
        self.assertEqual(self.outcome(), ("done", "mailbox.suspended"))
        self.assertEqual(Entry.objects.latest("pk").actor, self.adam)

    def test_a_crash_in_the_middle_is_finished(self) -> None:
        with (
            mock.patch.object(passwords, "check_login", side_effect=KeyboardInterrupt),
            self.assertRaises(KeyboardInterrupt),
        ):
            self.client.post(PATH)
        self.assertEqual(Change.objects.get().state, "asked")
        self.give_up()
        self.assertIsNotNone(self.mailbox.suspended_at)
        self.assertEqual(self.outcome(), ("done", "mailbox.suspended"))

    def test_an_end_that_is_refused_is_told(self) -> None:
        self.fault("drop_after", "modifyUser")
        with NO_MAIL_SERVER:
            self.suspend(502)
        self.fault("error", "modifyUser", message="No such user.")
        self.give_up()
        self.assertIsNone(self.mailbox.suspended_at)
        self.assertEqual(self.outcome(), ("failed", "mailbox.change_failed"))

    def test_it_can_be_done_again(self) -> None:
        self.suspend()
        self.remote("modifyUser", userName=ADDRESS, newPassword=OLD)
        self.assertContains(self.client.get(PAGE), "Suspend again")
        self.suspend()
        self.assertFalse(self.lets_in)

    def test_a_new_password_lets_the_owner_in_again(self) -> None:
        self.suspend()
        self.client.post(
            f"{PAGE}reset-password/", {"password": "nine-blue-canaries-sang"}
        )
        self.mailbox.refresh_from_db()
        self.assertIsNone(self.mailbox.suspended_at)
        self.assertNotContains(self.client.get(PAGE), "Suspended")

    def test_what_is_to_be_deleted_is_left_alone(self) -> None:
        add_deletion(self.olga, ADDRESS)
        self.assertContains(self.suspend(422), "is to be deleted", status_code=422)
        self.assertTrue(self.lets_in)

    def test_it_is_for_managers(self) -> None:
        for user in (self.hedy, self.audrey):
            self.client.force_login(user)
            self.assertEqual(self.client.post(PATH).status_code, 403)
            self.assertNotContains(self.client.get(PAGE), "Suspend…")
        self.assertTrue(self.lets_in)
