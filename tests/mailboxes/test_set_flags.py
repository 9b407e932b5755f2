from __future__ import annotations

import pytest

from purelymanage.audit.models import Entry
from purelymanage.mailboxes.models import Mailbox
from tests.cast import HTMX
from tests.mailboxes.truth import FAULTS, TruthTestCase

ADDRESS = "orders@shop.example"
PAGE = f"/mailboxes/{ADDRESS}/"
INDEXING = f"{PAGE}search-indexing/"
ALLOWED = f"{PAGE}reset-allowed/"


class SearchIndexingTests(TruthTestCase):
    address = ADDRESS

    def test_it_is_switched_off_and_on(self) -> None:
        r = self.client.post(INDEXING, {"on": "off"})
        self.assertRedirects(r, f"{PAGE}#features")
        self.assert_mirror_is_true(search_indexing=False)
        self.client.post(INDEXING, {"on": "on"})
        self.assert_mirror_is_true(search_indexing=True)
        self.assertEqual(Entry.objects.filter(event="mailbox.changed").count(), 2)

    def test_htmx_gets_the_page_as_it_has_become(self) -> None:
        r = self.client.post(INDEXING, {"on": "off"}, headers=HTMX)
        self.assertContains(r, "Search indexing is off.")
        self.assertContains(r, 'aria-checked="false"')
        self.assertTemplateNotUsed(r, "base.html")
        self.assertEqual(r["HX-Retarget"], "#mailbox-detail")

    @pytest.mark.slow
    def test_the_page_tells_the_truth_about_faults(self) -> None:
        for fault, status, said in FAULTS:
            with self.subTest(fault=fault):
                self.start_anew()
                self.put_in(fault, "modifyUser")
                r = self.client.post(INDEXING, {"on": "off"})
                self.assert_told(r, status, said)
                self.assert_mirror_is_true()

    def test_where_nobody_knows_it_says_so(self) -> None:
        self.fault("drop_after", "modifyUser")
        self.fault("status_500", "getUser", times=None)
        self.fault("status_500", "listUser", times=None)
        r = self.client.post(INDEXING, {"on": "off"}, headers=HTMX)
        self.assertContains(r, "Nobody knows yet", status_code=502)
        # By this header live.js shows the sentence.
        self.assertEqual(r["HX-Reswap"], "outerHTML")
        self.assertContains(self.client.get(PAGE), "Its answer is awaited")


class ResetAllowedTests(TruthTestCase):
    address = ADDRESS

    def test_switching_it_off_is_explained_first(self) -> None:
        self.assertContains(self.client.get(ALLOWED), "cannot be read again")
        self.assertEqual(self.sandbox.calls.names, [])
        self.client.post(ALLOWED, {"on": "off"})
        self.assert_mirror_is_true(reset_allowed=False)

    def test_where_purelymail_wants_no_password_it_is_simply_on(self) -> None:
        # It is on there already, so the stand-in does not ask for one.
        Mailbox.objects.update(reset_allowed=False)
        self.client.post(ALLOWED, {"on": "on"})
        self.assert_mirror_is_true(reset_allowed=True)

    @pytest.mark.slow
    def test_the_page_tells_the_truth_about_faults(self) -> None:
        for fault, status, said in FAULTS:
            with self.subTest(fault=fault):
                self.start_anew()
                self.put_in(fault, "modifyUser")
                r = self.client.post(ALLOWED, {"on": "off"})
                self.assert_told(r, status, said)
                self.assert_mirror_is_true()

    def test_it_is_for_those_who_handle_mailboxes(self) -> None:
        for user, status in ((self.audrey, 403), (self.hedy, 302)):
            with self.subTest(user=user):
                self.client.force_login(user)
                r = self.client.post(ALLOWED, {"on": "off"})
                self.assertEqual(r.status_code, status)

    def test_foreign_domains_are_not_found(self) -> None:
        Mailbox.objects.update(domain="example.org")
        self.client.force_login(self.lina)
        r = self.client.post(ALLOWED, {"on": "off"})
        self.assertEqual(r.status_code, 404)
        self.assertEqual(self.sandbox.calls.names, [])


class ResetNotAllowedTests(TruthTestCase):
    """PurelyMail wants a password before the owner may reset it, or does not tell."""

    address = ADDRESS

    def prepare(self) -> None:
        self.remote("modifyUser", userName=ADDRESS, enablePasswordReset=False)

    def test_a_refusal_offers_a_password_in_the_same_step(self) -> None:
        r = self.client.post(ALLOWED, {"on": "on"})
        self.assertContains(r, "A password is needed", status_code=422)
        self.assertContains(
            r, f"{PAGE}reset-password/?reset_allowed=on", status_code=422
        )
        self.assert_mirror_is_true(reset_allowed=False)

    def test_so_does_a_success_that_is_none(self) -> None:
        self.fault("silent_success", "modifyUser")
        r = self.client.post(ALLOWED, {"on": "on"})
        self.assertContains(r, "nothing changed", status_code=422)
        self.assertContains(r, "?reset_allowed=on", status_code=422)

    def test_an_outage_does_not(self) -> None:
        self.fault("drop", "modifyUser")
        r = self.client.post(ALLOWED, {"on": "on"})
        self.assertNotContains(r, "?reset_allowed=on", status_code=502)
