from __future__ import annotations

from typing import Any

import pytest
from django.test import SimpleTestCase

from purelymanage.audit.models import Entry
from purelymanage.mailboxes.operations.recovery import remove_recovery
from purelymanage.mailboxes.recovery import plain_phone, same_target
from tests.account import add_deletion
from tests.cast import HTMX
from tests.mailboxes.truth import FAULTS, TruthTestCase

ADDRESS = "info@example.org"
OTHER = "info@private.example"
PAGE = f"/mailboxes/{ADDRESS}/"
SAVE = f"{PAGE}recovery/"
REMOVE = f"{PAGE}recovery/remove/"
OFFICE = {"type": "email", "target": "Office@home.example", "allow_mfa_reset": "on"}


class RecoveryTestCase(TruthTestCase):
    address = ADDRESS

    def prepare(self) -> None:
        self.remote(
            "upsertPasswordReset",
            userName=ADDRESS,
            type="phone",
            target="+49 30 1234567",
            description="Mobile",
            allowMfaReset=False,
        )

    @property
    def targets(self) -> list[str]:
        methods = self.sandbox.account.state.users[ADDRESS].reset_methods
        return [it.target for it in methods]

    def method(self, target: str) -> Any:
        methods = self.sandbox.account.state.users[ADDRESS].reset_methods
        return next(it for it in methods if it.target == target)


class SaveRecoveryTests(RecoveryTestCase):
    def test_it_is_added(self) -> None:
        r = self.client.post(SAVE, OFFICE | {"description": "The office"})
        self.assertRedirects(r, f"{PAGE}#recovery")
        self.assert_mirror_is_true()
        added = self.method("office@home.example")
        self.assertEqual((added.type, added.description), ("email", "The office"))
        self.assertTrue(added.allow_mfa_reset)
        entry = Entry.objects.latest("pk")
        self.assertEqual(entry.event, "mailbox.recovery_saved")
        self.assertIn("office@home.example", entry.sentence)

    def test_htmx_opens_the_form_in_its_section_and_gets_the_page(self) -> None:
        r = self.client.get(SAVE, headers=HTMX)
        self.assertContains(r, 'hx-target="#recovery"')
        self.assertTemplateNotUsed(r, "base.html")
        r = self.client.post(SAVE, OFFICE, headers=HTMX)
        self.assertContains(r, "office@home.example is added for recovery.")
        self.assertContains(r, 'id="mailbox-detail"')

    def test_a_number_is_sent_as_telephones_take_it(self) -> None:
        self.client.post(SAVE, {"type": "phone", "target": "0049 (30) 555-000"})
        self.assertIn("+4930555000", self.targets)
        self.assert_mirror_is_true()

    def test_it_is_changed_and_the_others_stay(self) -> None:
        before = self.targets
        r = self.client.get(f"{SAVE}?target=info%40private.example")
        self.assertContains(r, 'value="info@private.example"')
        self.client.post(f"{SAVE}?target=info%40private.example", OFFICE)
        self.assertEqual(
            self.targets, [before[0].replace(OTHER, "office@home.example"), before[1]]
        )
        self.assert_mirror_is_true()

    def test_a_number_written_otherwise_is_still_the_same(self) -> None:
        form = {"type": "phone", "target": "+49 30 1234567", "description": "New"}
        self.client.post(f"{SAVE}?target=%2B49%2030%201234567", form)
        self.assertEqual(self.method("+49 30 1234567").description, "New")
        r = self.client.post(SAVE, form)
        self.assertContains(r, "is a recovery method already", status_code=422)

    def test_the_form_begins_as_it_is(self) -> None:
        for target, has_tick in (("%2B49%2030%201234567", False), (OTHER, True)):
            r = self.client.get(f"{SAVE}?target={target}")
            tick = r.context["form"]["allow_mfa_reset"].value()
            self.assertEqual(tick, has_tick)

    def test_what_cannot_help_is_refused(self) -> None:
        cases = [
            ("email", "INFO@example.org", "cannot open the mailbox"),
            ("email", "INFO@private.example", "is a recovery method already"),
            ("email", "nobody", "This is no e-mail address"),
            ("phone", "030 1234567", "with a plus and its country"),
            ("phone", "anna@home.example", "with a plus and its country"),
            ("fax", "+4930555000", "Choose one of those"),
            ("email", "", "Fill this in"),
        ]
        for kind, target, said in cases:
            with self.subTest(target=target):
                r = self.client.post(SAVE, {"type": kind, "target": target})
                self.assertContains(r, said, status_code=422)
        self.assertEqual(self.sandbox.calls.names, [])

    def test_a_duplicate_that_the_mirror_does_not_know_is_refused(self) -> None:
        self.remote(
            "upsertPasswordReset",
            userName=ADDRESS,
            type="email",
            target="new@b.example",
        )
        r = self.client.post(SAVE, OFFICE | {"target": "new@b.example"})
        self.assertContains(r, "is a recovery method of", status_code=422)
        self.assertEqual(self.sandbox.calls.count("upsertPasswordReset"), 0)
        self.assert_mirror_is_true()

    @pytest.mark.slow
    def test_the_page_tells_the_truth_about_faults(self) -> None:
        for fault, status, said in FAULTS:
            with self.subTest(fault=fault):
                self.start_anew()
                self.put_in(fault, "upsertPasswordReset")
                r = self.client.post(SAVE, OFFICE)
                self.assert_told(r, status, said)
                self.assertEqual("office@home.example" in self.targets, status == 302)
                self.assert_mirror_is_true()

    def test_without_a_look_nothing_is_asked_for(self) -> None:
        self.fault("status_500", "getUser", times=None)
        r = self.client.post(SAVE, OFFICE)
        self.assertContains(r, "was not changed", status_code=502)
        self.assertContains(r, "Office@home.example", status_code=502)
        self.assertEqual(self.sandbox.calls.count("upsertPasswordReset"), 0)


class RemoveRecoveryTests(RecoveryTestCase):
    path = f"{REMOVE}?target=info%40private.example"

    def test_it_asks_first_and_names_it(self) -> None:
        r = self.client.get(self.path)
        self.assertContains(r, "Remove info@private.example</button>")
        self.assertEqual(self.sandbox.calls.names, [])

    def test_it_removes_this_one_alone(self) -> None:
        r = self.client.post(self.path)
        self.assertRedirects(r, f"{PAGE}#recovery")
        self.assertEqual(self.targets, ["+49 30 1234567"])
        (call,) = [it for it in self.sandbox.calls if it.operation.startswith("delete")]
        self.assertEqual(call.body["target"], OTHER)
        self.assert_mirror_is_true()
        self.assertEqual(Entry.objects.latest("pk").event, "mailbox.recovery_removed")

    @pytest.mark.slow
    def test_without_a_target_nothing_is_removed(self) -> None:
        for path in (REMOVE, f"{REMOVE}?target=", f"{REMOVE}?target=%20"):
            self.assertRedirects(self.client.post(path), PAGE)
        self.assertEqual(len(self.targets), 2)
        self.assertNotIn("deletePasswordReset", self.sandbox.calls.names)

    def test_the_last_one_stays_while_two_factor_sign_in_is_on(self) -> None:
        self.client.post(self.path)
        # Unknown to the mirror, which is why it is looked at first.
        self.remote("modifyUser", userName=ADDRESS, requireTwoFactorAuthentication=True)
        last = f"{REMOVE}?target=%2B49%2030%201234567"
        r = self.client.post(last)
        self.assertContains(r, "Switch two-factor sign-in off first", status_code=422)
        self.assertContains(self.client.get(last), "needs one")
        self.assertEqual(self.targets, ["+49 30 1234567"])
        self.assert_mirror_is_true(two_factor=True)

    def test_one_that_is_gone_already_is_not_removed_twice(self) -> None:
        self.remote("deletePasswordReset", userName=ADDRESS, target=OTHER)
        r = self.client.post(self.path)
        self.assertContains(r, "not a recovery method", status_code=422)
        self.assertEqual(self.client.get(self.path).status_code, 404)

    @pytest.mark.slow
    def test_the_page_tells_the_truth_about_faults(self) -> None:
        for fault, status, said in FAULTS:
            with self.subTest(fault=fault):
                self.start_anew()
                self.put_in(fault, "deletePasswordReset")
                r = self.client.post(self.path)
                self.assert_told(r, status, said)
                self.assertEqual(OTHER in self.targets, status != 302)
                self.assert_mirror_is_true()

    def test_what_is_to_be_deleted_is_left_alone(self) -> None:
        add_deletion(self.olga, ADDRESS)
        self.assertContains(self.client.get(self.path), "is to be deleted and frozen")
        r = self.client.post(self.path)
        self.assertContains(r, "is to be deleted and frozen", status_code=422)
        self.assertEqual(len(self.targets), 2)
        self.assertNotContains(self.client.get(PAGE), "Remove…")

    def test_foreign_domains_are_not_touched(self) -> None:
        self.client.force_login(self.lina)
        self.assertEqual(self.client.post(self.path).status_code, 404)
        with self.assertRaisesMessage(Exception, "not at PurelyMail any more"):
            remove_recovery(mailbox=self.mailbox, target=OTHER, actor=self.lina)
        self.assertEqual(len(self.targets), 2)
        self.client.force_login(self.audrey)
        self.assertEqual(self.client.post(self.path).status_code, 403)


class TargetTests(SimpleTestCase):
    def test_numbers_are_read_as_people_write_them(self) -> None:
        for written, plain in (
            ("+49 (0)30 / 555-0001", "+49305550001"),
            ("0049 30 5550001", "+49305550001"),
            ("+1.202.555.0143", "+12025550143"),
            ("030 5550001", ""),
            ("+49", ""),
            ("+49305550001234567890", ""),
            ("+49x", ""),
        ):
            self.assertEqual(plain_phone(written), plain, written)
        self.assertTrue(same_target("+49 30 5550001", "+49305550001"))
        self.assertFalse(same_target("a@b.example", "c@b.example"))
