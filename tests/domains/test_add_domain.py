from __future__ import annotations

from unittest import mock

import pytest

from purelymanage.domains import visibility
from purelymanage.domains.dns.observations import Answer, Failure, Outcome
from purelymanage.domains.dns.servers import NoResolver
from purelymanage.domains.models import Addition, Domain, OwnershipCode, SyncRun
from tests.account import add_addition
from tests.cast import HTMX
from tests.sandbox import SandboxTestCase

URL = "/domains/add/"
LOOK = "/domains/add/look/"
NEW, UNPROVEN = "new.example", "unproven.example"
NOTHING = Answer(Outcome.NO_DATA)


class AddDomainTestCase(SandboxTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.code = self.sandbox.account.state.ownership_code
        OwnershipCode.objects.create(pk=1, value=self.code)
        self.client.force_login(self.olga)


class AddDomainTests(AddDomainTestCase):
    def test_it_shows_the_record_and_asks_nobody(self) -> None:
        r = self.client.get(f"{URL}?name=shop.new.example")
        self.assertContains(r, self.code)
        self.assertContains(r, 'data-copy="shop"')
        self.assertContains(r, "shop.new.example")
        self.assertContains(r, 'hx-trigger="load"')
        self.assertEqual(self.sandbox.calls.names, [])

    def test_a_foreign_name_is_shown_in_both_forms(self) -> None:
        r = self.client.get(f"{URL}?name=xn--bcher-kva.example")
        self.assertContains(r, "runs the DNS of bücher.example")
        self.assertContains(r, '<span class="mono">xn--bcher-kva.example</span>')

    def test_it_waits_for_a_record_that_was_never_read(self) -> None:
        OwnershipCode.objects.all().delete()
        r = self.client.get(URL)
        self.assertContains(r, "being read from PurelyMail")
        self.assertContains(r, "every 2s")
        self.assertEqual(SyncRun.objects.get().state, SyncRun.State.QUEUED)
        self.client.get(LOOK, headers=HTMX)
        self.assertEqual(SyncRun.objects.count(), 1)
        self.assertEqual(self.sandbox.calls.names, [])

    def test_it_says_why_the_record_could_not_be_read(self) -> None:
        OwnershipCode.objects.all().delete()
        SyncRun.objects.create(
            state="failed", reason="It was down.", finished_at="2026-01-01T00:00Z"
        )
        r = self.client.get(LOOK, headers=HTMX)
        self.assertContains(r, "It was down.")
        self.assertNotContains(r, "every 2s")

    @pytest.mark.slow
    def test_a_pasted_address_is_added_and_shown_what_comes_next(self) -> None:
        r = self.client.post(URL, {"name": "https://New.Example/path", "when": "now"})
        self.assertRedirects(r, f"/domains/{NEW}/")
        self.assertFalse(Domain.objects.get(name=NEW).allow_account_reset)
        r = self.client.get(f"/domains/{NEW}/")
        self.assertContains(r, "Getting this domain going")

    def test_account_recovery_is_kept_where_it_is_wanted(self) -> None:
        data = {"name": NEW, "when": "now", "allow_account_reset": "on"}
        self.client.post(URL, data)
        self.assertTrue(Domain.objects.get(name=NEW).allow_account_reset)

    def test_without_the_record_it_offers_to_wait(self) -> None:
        r = self.client.post(URL, {"name": UNPROVEN, "when": "now"})
        self.assertContains(r, "does not see the ownership record", status_code=422)
        self.assertContains(r, "go on with something else", status_code=422)

    def test_it_waits_until_the_record_is_visible(self) -> None:
        r = self.client.post(URL, {"name": UNPROVEN, "when": "visible"})
        self.assertRedirects(r, "/domains/")
        self.assertEqual(Addition.objects.get().state, Addition.State.WAITING)
        r = self.client.post(URL, {"name": UNPROVEN, "when": "visible"})
        self.assertContains(r, "waits to be added already", status_code=422)

    def test_bad_names_come_back_at_their_field(self) -> None:
        for name, words in {
            "": "Fill this in.",
            "co.uk": "others register their domains",
            "a_b.example": "underscore",
            "\0": "invisible character",
        }.items():
            r = self.client.post(URL, {"name": name})
            with self.subTest(name):
                self.assertContains(r, words, status_code=422)
                self.assertContains(r, 'aria-invalid="true"', status_code=422)

    def test_what_is_there_or_taken_is_refused_with_a_sentence(self) -> None:
        Domain.objects.create(name="here.example")
        for name, words in {
            "here.example": "in the account already",
            "purelymail.com": "and not in this account",
        }.items():
            r = self.client.post(URL, {"name": name, "when": "now"})
            with self.subTest(name):
                self.assertContains(r, words, status_code=422)

    @pytest.mark.slow
    def test_an_outage_is_told_as_such(self) -> None:
        self.fault("status_500", "addDomain", times=None)
        self.fault("status_500", "listDomains", times=None)
        r = self.client.post(URL, {"name": NEW, "when": "now"})
        self.assertContains(r, "Nobody knows yet whether", status_code=502)

    def test_limited_people_add_only_what_they_look_after(self) -> None:
        self.client.force_login(self.lina)
        r = self.client.post(URL, {"name": NEW, "when": "now"})
        self.assertContains(r, "you look after other domains", status_code=422)
        self.assertEqual(self.sandbox.calls.names, [])
        r = self.client.get(f"{LOOK}?name={NEW}", headers=HTMX)
        self.assertContains(r, "Not one of yours")


class LookForProofTests(AddDomainTestCase):
    def look(self, at_zone: Answer, at_resolvers: Answer, name: str = NEW) -> str:
        def ask(name: str, type: str, *, at_zone: bool = False) -> Answer:
            return answers[at_zone]

        answers = {True: at_zone, False: at_resolvers}
        with mock.patch.object(visibility, "ask_one", ask):
            r = self.client.get(LOOK, {"name": name}, headers=HTMX)
        self.assertTemplateNotUsed(r, "base.html")
        return r.content.decode()

    def test_it_looks_again_until_everybody_sees_it(self) -> None:
        there = Answer(Outcome.FOUND, (self.code,))
        self.assertIn("The record is not visible yet.", self.look(NOTHING, NOTHING))
        self.assertIn("every 5s", self.look(NOTHING, NOTHING))
        self.assertIn("resolvers do not know it yet", self.look(there, NOTHING))
        page = self.look(there, there)
        self.assertIn("You can add the domain now.", page)
        self.assertNotIn("hx-get", page)

    def test_could_not_look_is_not_invisible(self) -> None:
        failed = Answer(Outcome.FAILED, failure=Failure.TIMEOUT)
        page = self.look(failed, failed)
        self.assertIn("Could not look", page)
        self.assertNotIn("Not visible yet", page)

    def test_without_a_resolver_it_says_so(self) -> None:
        error = NoResolver("No DNS resolver is known.")
        with mock.patch.object(visibility, "ask_one", side_effect=error):
            r = self.client.get(LOOK, {"name": NEW}, headers=HTMX)
        self.assertContains(r, "No DNS resolver is known.")

    def test_nobody_is_asked_about_what_is_no_name_or_there_already(self) -> None:
        Domain.objects.create(name=NEW)
        with mock.patch.object(visibility, "ask_one", autospec=True) as ask:
            r = self.client.get(LOOK, {"name": NEW}, headers=HTMX)
            self.assertContains(r, "In the account already")
            r = self.client.get(LOOK, {"name": "example"}, headers=HTMX)
            self.assertContains(r, "lacks its ending")
        ask.assert_not_called()

    def test_it_tells_that_it_waits_already(self) -> None:
        add_addition(self.adam, NEW)
        self.assertIn("waits to be added already", self.look(NOTHING, NOTHING))

    def test_it_is_a_whole_page_without_scripts(self) -> None:
        with mock.patch.object(visibility, "ask_one", return_value=NOTHING):
            r = self.client.post(URL, {"name": NEW, "when": "look"})
        self.assertTemplateUsed(r, "domains/add_domain.html")
        self.assertContains(r, "The record is not visible yet.")
        self.assertEqual(self.sandbox.calls.names, [])
        self.assertRedirects(self.client.get(LOOK), URL)
