from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django_q.models import OrmQ

from purelymanage.mailboxes import tasks
from purelymanage.mailboxes.models import Change, FollowUp, Mailbox
from tests.account import add_app_password, add_deletion
from tests.cast import HTMX
from tests.mailboxes.rename_cases import NEW, OLD, RenamingTestCase

URL = f"/mailboxes/{OLD}/rename/"
TASK = "purelymanage.mailboxes.tasks.follow_rename"


class RenamePageTests(RenamingTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.adam)

    def ask(self, new: str = NEW) -> Any:
        local, _, domain = new.rpartition("@")
        query = urlencode({"local_part": local, "domain": domain})
        return self.client.get(f"{URL}?{query}")

    def confirm(self, new: str = NEW, **fields: str) -> Any:
        local, _, domain = new.rpartition("@")
        shown = self.ask(new).context.get("shown", "")
        form = {"local_part": local, "domain": domain, "shown": shown}
        return self.client.post(URL, form | {"with_rule": "on"} | fields)

    def work(self) -> None:
        """Do what was put into the queue."""
        for row in OrmQ.objects.order_by("pk"):
            if row.func() == TASK:
                tasks.follow_rename(*row.args())
            row.delete()

    @pytest.mark.slow
    def test_it_shows_first_what_hangs_on_the_name(self) -> None:
        self.assertContains(self.client.get(URL), 'value="orders"')
        r = self.ask()
        self.assertContains(r, "2 rules")
        self.assertContains(r, "team@shop.example")
        self.assertRegex(r.content.decode(), r'name="with_rule"[^>]* checked')
        self.assertEqual(len(self.sandbox.calls), 0)
        self.assertFalse(Change.objects.exists())

    @pytest.mark.slow
    def test_it_renames_and_tells_what_followed(self) -> None:
        r = self.confirm()
        change = Change.objects.get()
        page = f"/mailboxes/{NEW}/renames/{change.pk}/"
        self.assertRedirects(r, page)
        self.assertContains(self.client.get(page), "every 2s")
        self.work()
        r = self.client.get(page, headers=HTMX)
        self.assertContains(r, "All of it is done")
        self.assertContains(r, f"Mail to {OLD} goes to {NEW}.")
        self.assertNotContains(r, "every 2s")
        self.assertEqual(self.targets()["orders"], [NEW])

    @pytest.mark.slow
    def test_the_page_of_the_mailbox_knows_both_names(self) -> None:
        self.fault("error", "modifyUser")
        self.confirm()  # leaves an entry about the old name
        self.confirm()
        r = self.client.get(f"/mailboxes/{NEW}/")
        self.assertContains(r, f"renamed {OLD} to {NEW}")
        self.assertContains(r, f"could not change {OLD}")
        self.assertContains(r, "Not all has followed the new name yet")
        self.work()
        r = self.client.get(f"/mailboxes/{NEW}/")
        self.assertNotContains(r, "Not all has followed")
        self.assertContains(r, f"{OLD}</a> until")

    @pytest.mark.slow
    def test_the_old_address_leads_to_the_new_page(self) -> None:
        self.confirm()
        r = self.client.get(f"/mailboxes/{OLD.upper()}/")
        self.assertRedirects(r, f"/mailboxes/{NEW}/")
        self.assertEqual(self.client.get(URL).status_code, 404)

    @pytest.mark.slow
    def test_the_old_address_tells_nothing_across_domains(self) -> None:
        self.confirm("orders2@example.org")
        self.client.force_login(self.lina)  # of the old domain
        self.assertEqual(self.client.get(f"/mailboxes/{OLD}/").status_code, 404)
        self.lina.domain_scope = ["example.org"]
        self.lina.save(update_fields=["domain_scope"])
        self.assertEqual(self.client.get(f"/mailboxes/{OLD}/").status_code, 404)

    @pytest.mark.slow
    def test_a_new_mailbox_of_the_old_name_has_its_page(self) -> None:
        self.confirm()
        Mailbox.objects.create(address=OLD, domain="shop.example")
        r = self.client.get(f"/mailboxes/{OLD}/")
        self.assertEqual(r.status_code, 200)

    @pytest.mark.slow
    def test_without_the_rule(self) -> None:
        self.confirm(with_rule="")
        self.work()
        self.assertNotIn("orders", self.targets())

    @pytest.mark.slow
    def test_the_fault_is_told_with_the_form_as_it_was(self) -> None:
        for kind, words, status in (
            ("error", "The request was refused.", 422),
            ("silent_success", "but nothing changed", 422),
            ("drop", "was not renamed", 502),
        ):
            with self.subTest(kind=kind):
                self.fault(kind, "modifyUser")
                r = self.confirm()
                self.assertContains(r, words, status_code=status)
                self.assertContains(r, 'value="sales2"', status_code=status)
                self.assert_not_renamed()

    @pytest.mark.slow
    def test_an_answer_lost_after_the_deed_is_no_failure(self) -> None:
        for kind in ("drop_after", "hang_after"):
            with self.subTest(kind=kind), self.timeout(0.3, "modifyUser"):
                self.begin()
                self.fault(kind, "modifyUser", seconds=1)
                self.assertEqual(self.confirm().status_code, 302)
                self.assert_renamed()

    def test_what_is_wrong_is_told_at_the_field(self) -> None:
        r = self.ask("returns@shop.example")
        self.assertContains(r, "exists already", status_code=422)
        self.assertContains(r, 'id="id_local_part_error"', status_code=422)
        self.assertNotContains(r, "Rename it", status_code=422)

    @pytest.mark.slow
    def test_what_changed_meanwhile_is_shown_again(self) -> None:
        shown = self.ask().context["shown"]
        add_app_password(self.adam, OLD)
        r = self.confirm(shown=shown)
        self.assertContains(r, "Look at it once more", status_code=422)
        self.assertContains(r, "1 app password", status_code=422)
        self.assert_not_renamed()

    @pytest.mark.slow
    def test_a_frozen_mailbox_says_why_it_cannot_be(self) -> None:
        add_deletion(self.olga, OLD)
        r = self.client.get(URL)
        self.assertContains(r, "is to be deleted and frozen")
        self.assertNotContains(r, "See what hangs on it")
        self.assertEqual(self.confirm().status_code, 422)
        self.assert_not_renamed()

    @pytest.mark.slow
    def test_what_failed_is_tried_again_by_a_button(self) -> None:
        self.fault("error", "createRoutingRule", message="Not today.")
        self.confirm()
        self.work()
        change = Change.objects.get()
        page = f"/mailboxes/{NEW}/renames/{change.pk}/"
        r = self.client.get(page)
        self.assertContains(r, "Not today.")
        self.assertContains(r, "Try again what is not done")
        self.assertRedirects(self.client.post(page), page)
        self.work()
        self.assertContains(self.client.get(page), "All of it is done")

    @pytest.mark.slow
    def test_names_of_other_domains_are_not_shown(self) -> None:
        self.confirm()
        self.work()
        FollowUp.objects.filter(key="exact").update(domain="example.org")
        self.client.force_login(self.lina)
        change = Change.objects.get()
        r = self.client.get(f"/mailboxes/{NEW}/renames/{change.pk}/")
        self.assertContains(r, "Something of another domain")
        self.assertNotContains(r, f"A rule from {OLD}")

    @pytest.mark.slow
    def test_the_helpdesk_renames_nothing(self) -> None:
        self.client.force_login(self.hedy)
        self.assertEqual(self.client.get(URL).status_code, 403)
        r = self.client.get(f"/mailboxes/{OLD}/")
        self.assertNotContains(r, "Rename…")
