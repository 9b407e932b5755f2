from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import override_settings
from django.utils import timezone
from django_q.models import OrmQ

from purelymanage.audit.models import Entry
from purelymanage.imap.errors import LoginRefused
from purelymanage.imap.login import check_login
from purelymanage.mailboxes import tasks
from purelymanage.mailboxes.models import Change, HandOver, Mailbox
from purelymanage.mailboxes.operations import hand_overs, passwords
from purelymanage.mailboxes.operations.new_app_passwords import make_app_password
from purelymanage.purelymail import client
from tests.account import add_deletion
from tests.cast import CastTestCase
from tests.migrations.cases import WithMail

ADDRESS = "orders@shop.example"
PATH = f"/mailboxes/{ADDRESS}/reset-password/"
PASSWORD = "nine-blue-canaries-sang-at-noon"


class ResetPasswordTestCase(WithMail, CastTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(passwords, "PAUSES", ()))
        self.enterContext(mock.patch.object(client, "PAUSES", ()))
        logging.disable(logging.ERROR)
        self.addCleanup(logging.disable, logging.NOTSET)
        self.mailbox = Mailbox.objects.create(address=ADDRESS, domain="shop.example")
        self.client.force_login(self.hedy)

    @property
    def user(self) -> Any:
        return self.sandbox.account.state.users[ADDRESS]

    def reset(self, **changes: str) -> HttpResponse:
        r = self.client.post(PATH, {"password": PASSWORD} | changes)
        assert isinstance(r, HttpResponse)
        return r

    def is_set(self) -> bool:
        return self.sandbox.account.log_in(ADDRESS, PASSWORD) is not None

    @property
    def is_in_doubt(self) -> bool:
        return Change.objects.filter(mailbox=self.mailbox).doubts_password()

    def outcome(self) -> tuple[str, str]:
        entry = Entry.objects.filter(event__startswith="mailbox.").latest("sequence")
        return Change.objects.latest("pk").state, entry.event

    def assert_told(self, r: HttpResponse, sentence: str, status: int) -> None:
        self.assertContains(r, sentence, status_code=status, html=False)


class WorkingTests(ResetPasswordTestCase):
    def test_it_is_set_tried_and_shown_once(self) -> None:
        r = self.reset()
        self.assert_told(r, "has a new password", 200)
        self.assert_told(r, "the panel signed in with it", 200)
        self.assert_told(r, f"<code>{PASSWORD}</code>", 200)
        self.assertIn("no-store", r.headers["Cache-Control"])
        self.assertTrue(self.is_set())
        self.assertEqual(self.outcome(), ("done", "mailbox.password_reset"))
        self.assertEqual(Entry.objects.latest("sequence").actor, self.hedy)

    def test_the_old_link_and_the_suspension_end(self) -> None:
        Mailbox.objects.update(suspended_at=timezone.now())
        for what in HandOver.What:
            hand_overs.make_hand_over(
                mailbox=self.mailbox, password="old", actor=self.adam, what=what
            )
        self.reset()
        self.mailbox.refresh_from_db()
        self.assertIsNone(self.mailbox.suspended_at)
        self.assertIsNotNone(self.mailbox.details_at)
        left = HandOver.objects.open().values_list("what", flat=True)
        self.assertEqual(list(left), ["app_password"])

    def test_reset_by_the_owner_is_allowed_in_the_same_call(self) -> None:
        self.user.password_reset = False
        Mailbox.objects.update(reset_allowed=False)
        page = self.client.get(f"{PATH}?reset_allowed=on")
        self.assertContains(page, 'id="id_allow_reset" checked')
        r = self.reset(allow_reset="on")
        self.assertNotContains(r, "all the same")
        self.assertTrue(self.user.password_reset)
        self.mailbox.refresh_from_db()
        self.assertTrue(self.mailbox.reset_allowed)

    def test_it_is_left_alone_where_nobody_asks(self) -> None:
        self.user.password_reset = False
        self.reset()
        self.assertFalse(self.user.password_reset)

    @pytest.mark.slow
    def test_app_passwords_are_revoked_on_request(self) -> None:
        self.assertNotContains(self.client.get(PATH), "Revoke the")
        make_app_password(
            mailbox=self.mailbox, name="Phone", purpose="", actor=self.hedy
        )
        self.assertContains(self.client.get(PATH), "Revoke the app password")
        self.reset()
        self.assertEqual(self.app_passwords(ADDRESS), 1)
        self.reset(revoke_app_passwords="on")
        self.assertEqual(self.app_passwords(ADDRESS), 0)

    def test_the_form_is_drawn_without_purelymail(self) -> None:
        self.sandbox.calls.clear()
        self.client.get(PATH)
        self.assertEqual(len(self.sandbox.calls), 0)

    def test_the_password_is_kept_nowhere(self) -> None:
        self.reset()
        everything = [str(queued.task) for queued in OrmQ.objects.all()]
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f'SELECT it::text FROM "{table}" it')  # noqa: S608
                everything += [row[0] for row in cursor.fetchall()]
        self.assertIn(ADDRESS, "".join(everything))
        self.assertNotIn(PASSWORD, "".join(everything))


class TroubleTests(ResetPasswordTestCase):
    def test_a_refusal_is_told_in_purelymails_words(self) -> None:
        self.fault("error", "modifyUser", message="Not on a Sunday.")
        r = self.reset()
        self.assert_told(r, "Not on a Sunday.", 422)
        self.assert_told(r, f'value="{PASSWORD}"', 422)
        self.assertEqual(self.outcome(), ("failed", "mailbox.change_failed"))

    def test_success_without_effect_is_told_as_such(self) -> None:
        self.fault("silent_success", "modifyUser")
        self.assert_told(self.reset(), "said it was done, but nothing changed", 422)
        self.assertFalse(self.is_set())
        self.assertEqual(self.outcome(), ("failed", "mailbox.change_failed"))

    def test_an_answer_lost_after_the_deed_is_no_failure(self) -> None:
        self.fault("drop_after", "modifyUser")
        self.assert_told(self.reset(), "the panel signed in with it", 200)
        self.assertEqual(self.outcome(), ("done", "mailbox.password_reset"))

    @pytest.mark.slow
    def test_hanging_after_the_deed_is_no_failure(self) -> None:
        self.fault("hang_after", "modifyUser", seconds=2)
        with mock.patch.object(client, "TIMEOUT", 0.3):
            r = self.reset()
        self.assert_told(r, "has a new password", 200)

    def test_an_answer_lost_before_the_deed_is_one(self) -> None:
        self.fault("drop", "modifyUser")
        self.assert_told(self.reset(), "was not changed", 502)
        self.assertFalse(self.is_set())
        self.assertEqual(self.outcome(), ("failed", "mailbox.change_failed"))

    def test_signing_in_tells_where_the_details_cannot(self) -> None:
        self.fault("drop_after", "modifyUser")
        self.fault("status_500", "getUser", times=None)
        self.assert_told(self.reset(), "has a new password", 200)

    def test_where_nothing_can_be_tried_it_says_so(self) -> None:
        with override_settings(PURELYMAIL_IMAP_PORT=9):
            r = self.reset()
        self.assert_told(r, "PurelyMail said yes, but nobody has tried it", 200)
        self.assert_told(r, "Not tried yet", 200)
        self.assertTrue(self.is_set())
        self.assertEqual(self.outcome(), ("done", "mailbox.password_untried"))

    def test_with_a_second_factor_it_cannot_be_tried(self) -> None:
        self.user.two_factor = True
        r = self.reset()
        self.assert_told(r, "two-factor sign-in is on", 200)
        self.assertEqual(self.outcome(), ("done", "mailbox.password_untried"))

    @pytest.mark.slow
    def test_where_nobody_knows_it_is_said_until_the_next_one(self) -> None:
        self.fault("drop_after", "modifyUser")
        with override_settings(PURELYMAIL_IMAP_PORT=9):
            self.assert_told(self.reset(), "Nobody knows whether", 502)
        self.assertEqual(self.outcome(), ("unknown", "mailbox.change_unknown"))
        self.assertTrue(self.is_in_doubt)
        self.fault("error", "modifyUser")
        self.reset()
        self.assertTrue(self.is_in_doubt)
        self.reset()
        self.assertFalse(self.is_in_doubt)

    def test_a_crash_in_between_ends_as_unknown(self) -> None:
        with (
            mock.patch.object(passwords, "look", side_effect=SystemExit),
            self.assertRaises(SystemExit),
        ):
            self.reset()
        self.assert_told(self.reset(), "is just being changed", 422)
        Change.objects.update(requested_at=timezone.now() - timedelta(minutes=6))
        tasks.fill_in_details()
        self.assertEqual(self.outcome(), ("unknown", "mailbox.change_unknown"))

    def test_a_mailbox_that_vanished_meanwhile_is_told(self) -> None:
        del self.sandbox.account.state.users[ADDRESS]
        self.assert_told(self.reset(), "PurelyMail refused to change", 422)

    def test_a_late_mail_server_is_waited_for(self) -> None:
        real = check_login
        answers = iter([LoginRefused("no"), None])

        def late(*arguments: Any, **named: Any) -> Any:
            if error := next(answers):
                raise error
            return real(*arguments, **named)

        with (
            mock.patch.object(passwords, "PAUSES", (0.01,)),
            mock.patch.object(passwords, "check_login", late),
        ):
            self.assert_told(self.reset(), "the panel signed in with it", 200)


class TurnedAwayTests(ResetPasswordTestCase):
    def test_weak_passwords_are_refused(self) -> None:
        for password in ("", "orders1", "12345678", f"{PASSWORD} "):
            with self.subTest(password=password):
                r = self.reset(password=password)
                self.assertEqual(r.status_code, 422)
        self.assertFalse(Change.objects.exists())

    def test_what_waits_for_its_deletion_is_frozen(self) -> None:
        add_deletion(self.olga, ADDRESS)
        self.assertContains(self.client.get(PATH), "frozen until then")
        self.assertEqual(self.reset().status_code, 422)
        self.assertFalse(self.is_set())
