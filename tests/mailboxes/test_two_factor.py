from __future__ import annotations

import pytest

from purelymanage.audit.models import Entry
from tests.mailboxes.truth import FAULTS, TruthTestCase

ADDRESS = "sales@example.org"  # without a recovery method
PAGE = f"/mailboxes/{ADDRESS}/"
ON = f"{PAGE}two-factor/on/"
OFF = f"{PAGE}two-factor/off/"
METHOD = {"type": "email", "target": "office@home.example"}
OFFICE = METHOD | {"allow_mfa_reset": "on"}


class SwitchOnTests(TruthTestCase):
    address = ADDRESS

    def test_a_way_back_comes_first_in_the_same_form(self) -> None:
        r = self.client.get(ON)
        self.assertContains(r, "A recovery method comes first")
        self.assertContains(r, "Add it and switch on")
        r = self.client.post(ON, OFFICE)
        self.assertRedirects(r, f"{PAGE}#signing-in")
        self.assert_mirror_is_true(two_factor=True)
        writes = [it for it in self.sandbox.calls.names if it != "getUser"]
        self.assertEqual(writes, ["upsertPasswordReset", "modifyUser"])
        told = Entry.objects.filter(target=ADDRESS).order_by("pk")
        self.assertEqual(
            list(told.values_list("event", flat=True)),
            ["mailbox.recovery_saved", "mailbox.changed"],
        )

    def test_with_one_it_is_just_switched_on(self) -> None:
        self.remote("upsertPasswordReset", userName=ADDRESS, **METHOD)
        # The mirror does not know of it yet, so the form asks for one all the same.
        r = self.client.post(ON, OFFICE | {"target": "else@home.example"})
        self.assertRedirects(r, f"{PAGE}#signing-in")
        self.assert_mirror_is_true(two_factor=True)
        self.assertEqual(self.sandbox.calls.count("upsertPasswordReset"), 0)

    def test_it_says_what_becomes_of_mail_programs(self) -> None:
        self.assertContains(self.client.get(ON), f"{PAGE}#app-passwords")

    def test_a_wrong_method_switches_nothing_on(self) -> None:
        r = self.client.post(ON, {"type": "email", "target": ADDRESS})
        self.assertContains(r, "cannot open the mailbox", status_code=422)
        self.assertEqual(self.sandbox.calls.names, [])

    def test_a_method_that_vanished_is_asked_for_again(self) -> None:
        type(self.mailbox).objects.update(
            recovery_methods=[{"type": "email", "target": "gone@home.example"}]
        )
        r = self.client.post(ON)
        self.assertContains(r, "needs a recovery method first", status_code=422)
        self.assertContains(r, "Add it and switch on", status_code=422)
        self.assert_mirror_is_true(two_factor=False)

    def test_half_of_it_is_told_as_half(self) -> None:
        self.fault("error", "modifyUser", message="Not on a Sunday.")
        r = self.client.post(ON, OFFICE)
        said = "office@home.example is a recovery method now."
        self.assertContains(r, said, status_code=422)
        self.assertContains(r, "Not on a Sunday.", status_code=422)
        self.assert_mirror_is_true(two_factor=False)
        self.assertEqual(len(self.mailbox.recovery_methods), 1)

    @pytest.mark.slow
    def test_the_page_tells_the_truth_about_faults(self) -> None:
        for fault, status, said in FAULTS:
            for operation in ("upsertPasswordReset", "modifyUser"):
                with self.subTest(fault=fault, operation=operation):
                    self.start_anew()
                    self.put_in(fault, operation)
                    r = self.client.post(ON, OFFICE)
                    self.assert_told(r, status, said)
                    self.assert_mirror_is_true(two_factor=status == 302)

    def test_on_already_is_said(self) -> None:
        self.client.post(ON, OFFICE)
        self.assertContains(self.client.get(ON), "is on already")
        r = self.client.post(ON)
        self.assertContains(r, "is on already", status_code=422)


class SwitchOffTests(TruthTestCase):
    address = ADDRESS

    def prepare(self) -> None:
        self.remote("upsertPasswordReset", userName=ADDRESS, **METHOD)
        self.remote("modifyUser", userName=ADDRESS, requireTwoFactorAuthentication=True)

    def test_it_warns_and_wants_a_confirmation(self) -> None:
        r = self.client.get(OFF)
        self.assertContains(r, "The password alone then opens the mailbox")
        self.assertContains(r, "office@home.example")
        r = self.client.post(OFF)
        self.assertContains(r, "Make sure first", status_code=422)
        self.assert_mirror_is_true(two_factor=True)

    def test_it_is_switched_off_and_the_methods_stay(self) -> None:
        r = self.client.post(OFF, {"confirmed": "on"})
        self.assertRedirects(r, f"{PAGE}#signing-in")
        self.assert_mirror_is_true(two_factor=False)
        self.assertEqual(len(self.mailbox.recovery_methods), 1)
        self.assertIn("two-factor sign-in off", Entry.objects.latest("pk").sentence)

    @pytest.mark.slow
    def test_the_page_tells_the_truth_about_faults(self) -> None:
        for fault, status, said in FAULTS:
            with self.subTest(fault=fault):
                self.start_anew()
                self.put_in(fault, "modifyUser")
                r = self.client.post(OFF, {"confirmed": "on"})
                self.assert_told(r, status, said)
                self.assert_mirror_is_true(two_factor=status != 302)
