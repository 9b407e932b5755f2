from __future__ import annotations

from typing import Any

from purelymanage.mailboxes.models import AppPassword, HandOver
from tests.account import add_app_password, add_deletion
from tests.mailboxes.test_app_passwords import ADDRESS, AppPasswordTestCase

PAGE = f"/mailboxes/{ADDRESS}/"


class AppPasswordPageTests(AppPasswordTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.hedy)

    def create(self, **fields: str) -> Any:
        form = {"name": "Phone", "purpose": "on the way", "way": "show"} | fields
        return self.client.post(f"{PAGE}app-passwords/new/", form)

    def revoke(self) -> Any:
        pk = AppPassword.objects.get().pk
        return self.client.post(f"{PAGE}app-passwords/{pk}/")

    def test_it_is_shown_once_with_the_settings(self) -> None:
        r = self.create()
        self.assertEqual(r.status_code, 201)
        self.assertIn("no-store", r["Cache-Control"])
        plain = r.context["made"].plain
        self.assertTrue(self.opens(plain))
        self.assertContains(r, plain, status_code=201)
        self.assertContains(r, "smtp.purelymail.com", status_code=201)
        self.assertNotContains(self.client.get(PAGE), plain)
        self.assertNotIn(plain, str(dict(self.client.session)))

    def test_a_link_shows_it_instead(self) -> None:
        r = self.create(way="link")
        self.assertContains(r, "/welcome/", status_code=201)
        self.assertEqual(r.context["made"].plain, "")
        self.assertEqual(HandOver.objects.get().what, "app_password")

    def test_the_page_of_the_mailbox_lists_it(self) -> None:
        self.create()
        add_app_password(None, ADDRESS, name="Copy", purpose="to copy a mailbox")
        r = self.client.get(PAGE)
        self.assertContains(r, "On the way, made by hedy@example.org")
        self.assertContains(r, "made by the panel for itself")
        self.assertContains(r, "cannot be listed or revoked here")
        self.assertContains(r, "Revoke…", count=1)

    def test_no_name_is_told_at_the_field(self) -> None:
        r = self.create(name=" ")
        self.assertContains(r, 'id="id_name_error"', status_code=422)
        self.assertEqual(len(self.sandbox.calls), 0)

    def test_a_lost_answer_is_told_and_listed(self) -> None:
        self.fault("drop_after", "createAppPassword")
        r = self.create()
        self.assertContains(r, "Nobody knows whether", status_code=502)
        self.assertContains(r, 'value="Phone"', status_code=502)
        self.assertContains(self.client.get(PAGE), "May exist")
        self.assertRedirects(self.revoke(), PAGE)
        self.assertNotContains(self.client.get(PAGE), "May exist")

    def test_a_refusal_is_told(self) -> None:
        self.fault("error", "createAppPassword", message="Not on a Sunday.")
        self.assertContains(self.create(), "Not on a Sunday.", status_code=422)

    def test_revoking_asks_first(self) -> None:
        plain = self.create().context["made"].plain
        pk = AppPassword.objects.get().pk
        r = self.client.get(f"{PAGE}app-passwords/{pk}/")
        self.assertContains(r, "Revoke “Phone”?")
        self.assertTrue(self.opens(plain))
        r = self.client.post(f"{PAGE}app-passwords/{pk}/", follow=True)
        self.assertContains(r, "does not open orders@shop.example any more")
        self.assertFalse(self.opens(plain))

    def test_one_that_still_works_is_not_called_revoked(self) -> None:
        self.create()
        self.fault("silent_success", "deleteAppPassword")
        r = self.revoke()
        self.assertContains(r, "but it still works", status_code=502)
        self.assertContains(self.client.get(PAGE), "Being revoked")

    def test_one_of_the_panel_is_none_of_theirs(self) -> None:
        add_app_password(None, ADDRESS)
        self.assertEqual(self.revoke().status_code, 404)

    def test_one_of_another_mailbox_is_not_found(self) -> None:
        add_app_password(self.adam, "info@shop.example")
        self.assertEqual(self.revoke().status_code, 404)

    def test_a_frozen_mailbox_offers_nothing(self) -> None:
        self.create()
        add_deletion(self.olga, ADDRESS)
        r = self.client.get(PAGE)
        self.assertNotContains(r, "New app password")
        self.assertNotContains(r, "Revoke…")
        r = self.create(name="Tablet")
        self.assertContains(r, "is to be deleted", status_code=422)
