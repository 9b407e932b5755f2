from __future__ import annotations

import re

from django.test import override_settings

from purelymanage.migrations.models import Server
from purelymanage.purelymail.sandbox.demo_mail import password_of
from tests.cast import HTMX
from tests.migrations.cases import SMALL, MigrationTestCase


class TestServerTests(MigrationTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.adam)
        self.url = f"/migrations/servers/{self.server.pk}/test/"

    def lines(self, html: str) -> dict[str, tuple[str, str]]:
        """Return the tone and the words of each line by its subject."""
        found = re.findall(
            r'<li class="(\w+)">.*?class="strong">([^<]+)</span> '
            r'<span class="words">([^<]*)',
            html,
            re.DOTALL,
        )
        return {subject: (tone, words) for tone, subject, words in found}

    def test_it_tries_by_itself_and_without_javascript_too(self) -> None:
        r = self.client.get(self.url)
        self.assertContains(r, 'hx-trigger="load"')
        self.assertContains(r, "Not tested yet.")
        self.assertIsNone(Server.objects.get().tested_at)
        r = self.client.post(self.url)
        self.assertTemplateUsed(r, "base.html")
        r = self.client.post(self.url, headers=HTMX)
        self.assertTemplateNotUsed(r, "base.html")
        self.assertNotContains(r, 'hx-trigger="load"')
        self.server.refresh_from_db()
        self.assertTrue(self.server.test_passed)

    def test_each_step_has_a_line(self) -> None:
        form = {"try_user": SMALL, "try_password": password_of(SMALL)}
        r = self.client.post(self.url, form, headers=HTMX)
        lines = self.lines(r.content.decode())
        self.assertEqual(
            list(lines),
            ["Reached", "Encryption", "Certificate", "Greeting", "Abilities", "Login"],
        )
        self.assertEqual({tone for tone, _ in lines.values()}, {"good"})
        self.assertIn("answers after", lines["Reached"][1])
        self.assertEqual(lines["Encryption"][1], "TLS 1.3.")
        self.assertEqual(lines["Certificate"][1], "Trusted.")
        self.assertContains(r, "<dt>Valid until</dt>")
        self.assertEqual(lines["Login"][1], f"{SMALL} is let in.")
        self.assertContains(r, "localhost")  # among the names it was made for
        self.server.refresh_from_db()
        self.assertNotIn(SMALL, self.server.test_sentence)

    def test_a_wrong_password_speaks_of_the_login_and_not_of_the_server(self) -> None:
        form = {"try_user": SMALL, "try_password": "wrong-one"}
        r = self.client.post(self.url, form, headers=HTMX)
        lines = self.lines(r.content.decode())
        self.assertEqual(lines["Login"][0], "broken")
        self.assertEqual(lines["Reached"][0], "good")
        self.assertContains(r, "Many providers want an app password")
        self.assertNotContains(r, "wrong-one")
        self.server.refresh_from_db()
        self.assertTrue(self.server.test_passed)
        self.assertNotIn(SMALL, self.server.test_sentence)

    @override_settings(IMAP_CA_FILE=None)
    def test_a_certificate_that_is_not_trusted_is_shown(self) -> None:
        form = {"try_user": SMALL, "try_password": password_of(SMALL)}
        r = self.client.post(self.url, form, headers=HTMX)
        lines = self.lines(r.content.decode())
        self.assertEqual(lines["Certificate"][0], "broken")
        self.assertIn("PurelyManage sandbox authority", lines["Certificate"][1])
        self.assertEqual(lines["Greeting"][0], "good")
        self.assertIn("whose hands", lines["Login"][1])
        self.assertContains(r, "switch the check off in its settings")
        self.server.refresh_from_db()
        self.assertFalse(self.server.test_passed)

        Server.objects.update(host="127.1")
        r = self.client.post(self.url, headers=HTMX)
        lines = self.lines(r.content.decode())
        self.assertIn("was not made for 127.1", lines["Certificate"][1])
        self.assertContains(r, "Use the host name it was made for, such as")

    def test_an_exception_and_clear_text_are_said_each_time(self) -> None:
        Server.objects.update(verify_certificate=False)
        r = self.client.post(self.url, headers=HTMX)
        lines = self.lines(r.content.decode())
        self.assertEqual(lines["Certificate"][0], "attention")
        self.assertIn("Not checked", lines["Certificate"][1])

    def test_what_was_not_reached_leaves_the_rest_untried(self) -> None:
        Server.objects.update(port=9)
        r = self.client.post(self.url, headers=HTMX)
        lines = self.lines(r.content.decode())
        self.assertEqual(lines.pop("Reached")[0], "broken")
        self.assertEqual({tone for tone, _ in lines.values()}, {"off"})
        self.assertContains(r, "Check the host name and the port.")

    def test_half_a_login_is_refused(self) -> None:
        r = self.client.post(self.url, {"try_user": SMALL}, headers=HTMX)
        self.assertContains(r, f"Enter the password of {SMALL}.", status_code=422)
        self.assertIsNone(Server.objects.get().tested_at)
