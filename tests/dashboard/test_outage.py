from __future__ import annotations

import re
import socket
from typing import Any
from unittest import mock

from django.db import OperationalError, connection, transaction
from django.test import RequestFactory, SimpleTestCase, TestCase

from purelymanage import database_watch
from purelymanage.dashboard import facts, outage
from purelymanage.database_watch import DatabaseWatch, watch
from tests.audit.mail_server import silent_server

SOON = 30.0  # seconds, that a busy machine may take


def listening_at(port: int) -> Any:
    """Let the watch ask a database at this port."""
    where = {"host": "127.0.0.1", "port": port, "dbname": "panel"}
    return mock.patch.object(database_watch, "_parameters", return_value=where)


class DatabaseWatchTests(TestCase):
    def test_it_asks_and_believes_the_answer_for_a_moment(self) -> None:
        its = DatabaseWatch()
        self.assertTrue(its.answers(SOON))
        with mock.patch("psycopg.connect") as connect:
            self.assertTrue(its.answers(SOON))
            connect.assert_not_called()
            its.doubt()
            self.assertTrue(its.answers(SOON))
            connect.assert_called_once()

    def test_nobody_waits_twice_for_a_frozen_one(self) -> None:
        its = DatabaseWatch()
        with silent_server() as frozen, listening_at(frozen.port):
            self.assertFalse(its.answers(0.01))
            self.assertFalse(its.answers(0.01))
            self.assertEqual(frozen.count_connections(), 1)

    def test_a_stopped_one_is_noticed_at_once(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        its = DatabaseWatch()
        with listening_at(port):
            self.assertFalse(its.answers(SOON))
        self.assertTrue(its.answers(SOON))


class OutageTests(SimpleTestCase):
    def setUp(self) -> None:
        silent = mock.patch.object(watch, "answers", return_value=False)
        self.enterContext(silent)

    def test_a_page_says_what_is_wrong_and_tries_again(self) -> None:
        r = self.client.get("/mailboxes/")
        self.assertContains(r, "database does not answer", status_code=503)
        self.assertContains(r, 'http-equiv="refresh"', status_code=503)
        self.assertEqual(r["Retry-After"], "10")
        self.assertIn("no-store", r["Cache-Control"])
        self.assertIn("default-src 'none'", r["Content-Security-Policy"])

    def test_what_was_sent_is_not_sent_again(self) -> None:
        r = self.client.post("/accounts/login/", {"login": "olga@example.org"})
        self.assertContains(r, "look before you send it again", status_code=503)
        self.assertNotContains(r, "refresh", status_code=503)
        self.assertNotContains(r, "Try again", status_code=503)

    def test_its_scripts_may_run(self) -> None:
        r = self.client.get("/mailboxes/")
        nonces = set(re.findall('nonce="([^"]+)"', r.content.decode()))
        self.assertEqual(len(nonces), 1)
        self.assertIn(f"'nonce-{nonces.pop()}'", r["Content-Security-Policy"])

    def test_owners_of_mailboxes_read_their_language_and_of_no_panel(self) -> None:
        for path, language, words in (
            ("/gather/a-token/", "de-DE,de;q=0.9,en", "Ihr Link gilt weiter"),
            ("/gather/a-token/", "fr,en", "your link goes on working"),
            ("/welcome/a-token/", "de", "your link goes on working"),
        ):
            r = self.client.get(path, headers={"Accept-Language": language})
            with self.subTest(path=path, language=language):
                self.assertContains(r, words, status_code=503)
                self.assertContains(r, f'lang="{words_in(words)}"', status_code=503)
                for foreign in ("dashboard", "PurelyManage", "database", "panel"):
                    self.assertNotContains(r, foreign, status_code=503)

    def test_owners_look_before_they_send_again(self) -> None:
        wish = {"Accept-Language": "de"}
        r = self.client.post("/gather/a-token/", {"password": "x"}, headers=wish)
        self.assertContains(r, "ungewiss", status_code=503)
        self.assertNotContains(r, "refresh", status_code=503)


def words_in(words: str) -> str:
    return "de" if "Ihr" in words else "en"


class BrokenTests(TestCase):
    def broken(self, error: BaseException, path: str = "/") -> Any:
        self.enterContext(mock.patch.object(watch, "_full_at", watch._full_at))
        with mock.patch.object(watch, "doubt") as self.doubt:
            try:
                raise error
            except BaseException:
                return outage.broken(RequestFactory().get(path))

    def test_a_database_that_went_away_is_told_as_such(self) -> None:
        r = self.broken(OperationalError("server closed the connection"))
        self.assertContains(r, "database does not answer", status_code=503)
        self.assertNotContains(r, "server closed", status_code=503)
        self.doubt.assert_called_once()

    def test_a_full_disk_of_the_database_is_told_as_such(self) -> None:
        sql = "DO $$ BEGIN RAISE SQLSTATE '53100' USING MESSAGE = 'no space'; END $$"
        with self.assertRaises(OperationalError) as met, transaction.atomic():
            connection.cursor().execute(sql)
        r = self.broken(met.exception)
        self.assertContains(r, "no room left", status_code=503)
        self.assertNotContains(r, "what you just sent", status_code=503)
        self.doubt.assert_not_called()
        full = "The database has no room left: nothing can be saved."
        self.assertIn(full, facts.vitals().problems)

    def test_everything_else_is_a_fault_of_the_panel(self) -> None:
        r = self.broken(KeyError("secret"))
        self.assertContains(r, "Something in the panel broke", status_code=500)

    def test_owners_of_mailboxes_are_told_without_a_panel(self) -> None:
        r = self.broken(KeyError("secret"), "/gather/a-token/")
        self.assertContains(r, "your link goes on working", status_code=500)
        self.assertNotContains(r, "dashboard", status_code=500)
