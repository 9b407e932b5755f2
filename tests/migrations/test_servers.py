from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.test import override_settings

from purelymanage.migrations.models import Server
from purelymanage.purelymail.sandbox.demo_mail import password_of
from tests.cast import HTMX
from tests.migrations.cases import SMALL, MigrationTestCase


class ServerTests(MigrationTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.adam)
        self.url = f"/migrations/servers/{self.server.pk}/"
        self.form = {
            "name": "Old provider",
            "host": self.server.host,
            "port": self.server.port,
            "security": "tls",
            "verify_certificate": "on",
        }

    def test_it_adds_a_server(self) -> None:
        form = self.form | {"name": "New one", "host": "LOCALHOST"}
        r = self.client.post("/migrations/servers/new/", form, follow=True)
        self.assertRedirects(r, "/migrations/servers/")
        self.assertContains(r, "New one was added. localhost")
        server = Server.objects.get(name="New one")
        self.assertEqual((server.host, server.created_by), ("localhost", self.adam))
        self.assertIn("server.created", self.events())

    def test_one_that_does_not_answer_is_added_and_that_is_said(self) -> None:
        form = self.form | {"name": "New one", "port": "9"}
        r = self.client.post("/migrations/servers/new/?for=job", form, follow=True)
        server = Server.objects.get(name="New one")
        self.assertEqual(server.doubt, "did not pass its last test")
        self.assertContains(r, "New one was added. ")
        self.assertContains(r, "Check the host name, the port")
        self.assertContains(r, "New one (did not pass its last test)")
        self.assertContains(r, "Old provider (not tested)")
        r = self.client.get("/migrations/servers/")
        self.assertContains(r, server.test_sentence)
        self.assertContains(r, "Not tested")

    def test_a_login_that_was_typed_is_tried_before_anything_is_stored(self) -> None:
        form = self.form | {"name": "New one", "try_user": SMALL, "try_password": "no"}
        for url in ("/migrations/servers/new/", self.url):
            r = self.client.post(url, form)
            self.assertContains(r, "id_try_password_error", status_code=422)
            self.assertContains(r, "Check the user name", status_code=422)
            r = self.client.post(url, form | {"port": "9"})
            self.assertContains(r, "id_host_error", status_code=422)
        self.assertEqual(Server.objects.get().name, "Old provider")

        form["try_password"] = password_of(SMALL)
        r = self.client.post("/migrations/servers/new/", form, follow=True)
        self.assertContains(r, f"lets {SMALL} in")
        server = Server.objects.get(name="New one")
        self.assertTrue(server.test_passed)
        self.assertNotIn(SMALL, server.test_sentence)

    def test_two_people_may_choose_a_name_at_the_same_time(self) -> None:
        with self.assertRaises(IntegrityError), transaction.atomic():
            Server.objects.create(
                name="OLD PROVIDER", host="x.example", created_by=self.olga
            )

    def test_it_leads_back_to_the_copy_one_was_about_to_make(self) -> None:
        form = self.form | {"name": "New one"}
        r = self.client.post("/migrations/servers/new/?for=job", form)
        server = Server.objects.get(name="New one")
        self.assertRedirects(r, f"/migrations/jobs/new/?server={server.pk}")

    @pytest.mark.slow
    def test_wrong_input_is_told_at_its_field(self) -> None:
        for field, value, words in (
            ("name", "OLD provider", "There is a server with this name already."),
            ("name", "", "Give it a name"),
            ("host", "https://imap.example.org/", "Write only the host name"),
            ("host", "", "Write the host name"),
            ("port", "", "A port is a number from 1 to 65535"),
            ("port", "-1", "A port is a number from 1 to 65535"),
            ("port", "0", "A port is a number from 1 to 65535"),
            ("port", "70000", "A port is a number from 1 to 65535"),
            ("port", "imap", "A port is a number from 1 to 65535"),
            ("security", "rot13", "Choose how the connection is protected."),
            ("try_user", SMALL, f"Enter the password of {SMALL}."),
            ("try_password", "x", "Whose password is it?"),
        ):
            with self.subTest(field=field):
                form = self.form | {"name": "New one", field: value}
                r = self.client.post("/migrations/servers/new/", form)
                self.assertContains(r, words, status_code=422)
        self.assertEqual(Server.objects.count(), 1)

    def test_a_login_is_tried_and_nothing_stored(self) -> None:
        form = self.form | {
            "name": "New one",
            "test": "1",
            "try_user": SMALL,
            "try_password": password_of(SMALL),
        }
        r = self.client.post("/migrations/servers/new/", form, headers=HTMX)
        self.assertContains(r, f"lets {SMALL} in")
        self.assertContains(r, 'role="status" tabindex="-1" autofocus')
        self.assertNotContains(r, password_of(SMALL))
        self.assertTemplateNotUsed(r, "base.html")
        self.assertEqual(Server.objects.count(), 1)
        # Half a login would keep them from adding the server then.
        self.assertNotContains(r, f'value="{SMALL}"')

    def test_a_second_click_does_not_add_it_twice(self) -> None:
        r = self.client.get("/migrations/servers/new/")
        self.assertContains(r, 'id="save" data-once')
        self.assertContains(r, "js/once.js")

    def test_the_port_may_stand_behind_the_host_name(self) -> None:
        form = self.form | {"name": "New one", "host": "LocalHost:9"}
        self.client.post("/migrations/servers/new/", form | {"port": "993"})
        server = Server.objects.get(name="New one")
        self.assertEqual((server.host, server.port), ("localhost", 9))

        form = self.form | {"name": "Another", "host": "localhost:70000"}
        r = self.client.post("/migrations/servers/new/", form)
        self.assertContains(r, "A port is a number", status_code=422)

    def test_a_wrong_password_is_a_sentence(self) -> None:
        form = self.form | {"test": "1", "try_user": SMALL, "try_password": "wrong-one"}
        r = self.client.post(self.url, form)
        self.assertContains(r, "Check the user name and the password.")
        self.assertNotContains(r, "wrong-one")

    def test_an_unreachable_server_is_a_sentence(self) -> None:
        r = self.client.post(self.url, self.form | {"test": "1", "port": "9"})
        self.assertContains(r, "Nobody listens at the server")
        self.assertContains(r, "Check the host name and the port.")

    @override_settings(IMAP_CA_FILE=None)
    def test_an_untrusted_certificate_is_a_sentence(self) -> None:
        r = self.client.post(self.url, self.form | {"test": "1"})
        self.assertContains(r, "which this machine does not trust")
        # The exception is explicit, and visible wherever the server is shown.
        form = self.form | {"test": "1", "verify_certificate": ""}
        r = self.client.post(self.url, form)
        self.assertContains(r, "certificate not checked")
        self.client.post(self.url, self.form | {"verify_certificate": ""})
        self.assertContains(self.client.get("/migrations/servers/"), "Not protected")

    def test_limited_people_may_choose_but_not_change(self) -> None:
        self.client.force_login(self.lina)
        r = self.client.get("/migrations/servers/")
        self.assertContains(r, "Old provider")
        self.assertNotContains(r, "Add a server")
        for url in (self.url, "/migrations/servers/new/"):
            self.assertEqual(self.client.post(url, self.form).status_code, 403)

    def test_auditors_see_and_helpers_do_not(self) -> None:
        for user, status in ((self.audrey, 200), (self.hedy, 403)):
            self.client.force_login(user)
            r = self.client.get("/migrations/servers/")
            self.assertEqual(r.status_code, status)
        self.client.force_login(self.audrey)
        self.assertEqual(self.client.post(f"{self.url}test/").status_code, 403)

    def test_many_servers_take_no_more_queries(self) -> None:
        with self.assertNumQueries(2):
            self.client.get("/migrations/servers/", headers=HTMX)
        Server.objects.bulk_create(
            Server(name=f"Server {it}", host="old.example", created_by=self.olga)
            for it in range(100)
        )
        with self.assertNumQueries(2):
            self.client.get("/migrations/servers/", headers=HTMX)
