from __future__ import annotations

import pytest
from django.test import override_settings

from purelymanage.migrations.models import Server
from purelymanage.migrations.presets import PRESETS, by_host
from purelymanage.purelymail.sandbox.dns import DnsServer
from tests.cast import HTMX
from tests.migrations.cases import MigrationTestCase

FIND = "/migrations/servers/find/"
NEW = "/migrations/servers/new/"


class PresetTests(MigrationTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.adam)

    @pytest.mark.slow
    def test_every_provider_fills_a_form_that_can_be_saved(self) -> None:
        for preset in PRESETS:
            with self.subTest(preset=preset.key):
                r = self.client.get(NEW, {"preset": preset.key})
                self.assertContains(r, f'href="{preset.page}"')
                form = r.context["form"]
                data = {key: form[key].value() or "" for key in form.fields}
                data["host"] = data["host"] or "mail.example.org"
                bound = type(form)(data)
                self.assertTrue(bound.is_valid(), bound.errors)
                settings = bound.settings()
                self.assertEqual(settings["preset"], preset.key)
                self.assertEqual(settings["bytes_a_day"], preset.bytes_a_day)
                each = settings["bytes_a_day_each"]
                self.assertEqual(each, preset.bytes_a_day_each)
                self.assertEqual(
                    settings["left_out_folders"], list(preset.left_out_folders)
                )
                self.assertLessEqual(len(preset.key), 20)
                if preset.host:
                    self.assertIs(by_host(preset.host), preset)

    def test_a_provider_is_chosen_with_and_without_javascript(self) -> None:
        for headers in ({}, HTMX):
            r = self.client.get(NEW, {"preset": "gmail", "for": "job"}, headers=headers)
            self.assertContains(r, 'value="imap.gmail.com"')
            self.assertContains(r, "[Gmail]/All Mail")
            self.assertContains(r, "app password")
            self.assertContains(r, "?for=job")
        r = self.client.get(NEW, {"preset": "microsoft365"})
        self.assertContains(r, "takes no passwords")
        self.assertEqual(self.client.get(NEW, {"preset": "x\0"}).status_code, 200)
        self.assertEqual(Server.objects.count(), 1)


class FindServerTests(MigrationTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.adam)
        dns = DnsServer(lambda: self.sandbox.account.zones, host="127.0.0.1", port=0)
        dns.start()
        self.addCleanup(dns.stop)
        self.enterContext(override_settings(DNS_RESOLVERS=[f"127.0.0.1:{dns.port}"]))

    def test_the_demo_provider_is_found_and_works(self) -> None:
        for address in ("info@old-provider.example", "old-provider.example"):
            r = self.client.post(FIND, {"address": address}, headers=HTMX)
            self.assertTemplateNotUsed(r, "base.html")
            self.assertContains(r, "The mail of old-provider.example is at")
            self.assertContains(r, f'value="{self.server.port}"')
            self.assertContains(r, 'value="localhost"')
        form = r.context["form"]
        data = {key: form[key].value() or "" for key in form.fields}
        looked_for = '<input type="hidden" name="address" value="old-provider.example">'
        self.assertContains(r, looked_for, 2, html=True)
        tried = data | {"test": "1", "address": "old-provider.example"}
        r = self.client.post(NEW, tried)
        self.assertContains(r, "with a trusted certificate")
        self.assertEqual(r.context["find_form"]["address"].value(), tried["address"])

    def test_a_domain_whose_mail_goes_there_leads_there(self) -> None:
        r = self.client.post(FIND, {"address": "ulla@waiting.example"})
        self.assertContains(r, "The mail of waiting.example is at")
        self.assertContains(r, "Named by the DNS of old-provider.example.")

    def test_what_has_moved_and_what_is_unknown_are_said(self) -> None:
        r = self.client.post(f"{FIND}?for=job", {"address": "anna@example.org"})
        self.assertTemplateUsed(r, "base.html")
        self.assertContains(r, "example.org points to PurelyMail already.")
        self.assertContains(r, "?for=job")
        self.sandbox.account.zones.put("empty.example", [("@", "A", "192.0.2.1")])
        r = self.client.post(FIND, {"address": "empty.example"})
        self.assertContains(r, "Nothing was found for empty.example.")
        self.assertContains(r, "Who was asked")

    def test_what_is_no_address_is_told_at_its_field(self) -> None:
        for text in ("", "localhost", "10.0.0.1", "a\x00@example.org", "x" * 300):
            r = self.client.post(FIND, {"address": text})
            self.assertContains(r, "id_address_error", status_code=422)

    def test_a_reload_shows_the_form(self) -> None:
        self.assertContains(self.client.get(FIND), "Add a server")

    def test_limited_people_do_not_look(self) -> None:
        self.client.force_login(self.lina)
        r = self.client.post(FIND, {"address": "old-provider.example"})
        self.assertEqual(r.status_code, 403)
