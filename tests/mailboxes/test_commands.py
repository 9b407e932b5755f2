from __future__ import annotations

import io
import json
import logging
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.utils import timezone

from purelymanage.audit.models import Agent, Entry
from purelymanage.domains import sync
from purelymanage.mailboxes.models import HandOver, Mailbox
from purelymanage.mailboxes.operations import passwords
from purelymanage.purelymail import client
from tests.account import add_deletion
from tests.cast import CastTestCase
from tests.migrations.cases import WithMail

ADDRESS = "zoe@example.org"
OLD = "orders@shop.example"
PASSWORD = "nine-blue-canaries-sang-at-noon"


class CommandTestCase(WithMail, CastTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(passwords, "PAUSES", ()))
        self.enterContext(mock.patch.object(client, "PAUSES", ()))
        self.enterContext(mock.patch.dict("os.environ", {"SUDO_USER": "grace"}))
        logging.disable(logging.ERROR)
        self.addCleanup(logging.disable, logging.NOTSET)
        sync.sync(actor=Agent.PANEL)
        self.file = Path(self.enterContext(TemporaryDirectory())) / "password"
        self.file.write_text(f"{PASSWORD}\n")

    def run_command(self, *arguments: str) -> str:
        out, self.err = io.StringIO(), io.StringIO()
        call_command(*arguments, stdout=out, stderr=self.err)
        return out.getvalue()

    def assert_fails(self, code: int, sentence: str, *arguments: str) -> None:
        with self.assertRaisesMessage(CommandError, sentence) as raised:
            self.run_command(*arguments)
        self.assertEqual(raised.exception.returncode, code)

    def opens(self, address: str, password: str = PASSWORD) -> bool:
        return self.sandbox.account.log_in(address, password) is not None

    def last(self) -> tuple[str, str]:
        entry = Entry.objects.latest("sequence")
        return entry.event, entry.actor_name


class CreateTests(CommandTestCase):
    def test_it_creates_with_a_password_from_a_file(self) -> None:
        said = self.run_command(
            "create_mailbox",
            "Zoe@Example.org",
            "--password-file",
            str(self.file),
            "--recovery-email=zoe@private.example",
            "--recovery-phone=+49 170 1234567",
            "--tag=Team",
            "--tag=new",
            "--no-reset",
        )
        self.assertEqual(said, f"{ADDRESS} was created.\n")
        self.assertTrue(self.opens(ADDRESS))
        self.assertEqual(self.last(), ("mailbox.noted", "grace"))
        mailbox = Mailbox.objects.get(address=ADDRESS)
        self.assertEqual(mailbox.tags, ["team", "new"])
        self.assertFalse(mailbox.reset_allowed)
        targets = [method["target"] for method in mailbox.recovery_methods]
        self.assertEqual(targets, ["zoe@private.example", "+491701234567"])

    def test_a_made_password_is_handed_over_by_a_link(self) -> None:
        told = json.loads(self.run_command("create_mailbox", ADDRESS, "--json"))
        self.assertEqual(told["doubts"], [])
        self.assertNotIn("password", told)
        r = Client().post(told["link"].removeprefix("http://localhost:8000"))
        shown = r.text.partition("<code>")[2].partition("</code>")[0]
        self.assertTrue(self.opens(ADDRESS, shown))

    def test_it_is_printed_on_request_only(self) -> None:
        said = self.run_command("create_mailbox", ADDRESS, "--show-password")
        self.assertTrue(self.opens(ADDRESS, said.split()[-1]))
        self.assertFalse(HandOver.objects.exists())

    def test_the_password_may_come_from_standard_input(self) -> None:
        stdin = mock.Mock(buffer=io.BytesIO(PASSWORD.encode()))
        with mock.patch("sys.stdin", stdin):
            self.run_command("create_mailbox", ADDRESS, "--password-file=-", "--link")
        self.assertTrue(self.opens(ADDRESS))
        self.assertTrue(HandOver.objects.open().exists())

    def test_what_cannot_be_is_refused_in_the_words_of_the_page(self) -> None:
        for address, sentence in {
            "zoe": "Choose a domain.",
            "zoe@elsewhere.example": "is not a domain of this account",
            "zoe.z@example.org": "subaddressing is on",
            OLD: "exists already",
        }.items():
            with self.subTest(address=address):
                self.assert_fails(1, sentence, "create_mailbox", address)
        self.assert_fails(
            1, "with its country", "create_mailbox", ADDRESS, "--recovery-phone=123"
        )
        self.assertFalse(HandOver.objects.exists())

    def test_files_that_hold_no_password_are_refused(self) -> None:
        missing = self.file.with_name("missing")
        arguments = ("create_mailbox", ADDRESS, "--password-file")
        self.assert_fails(2, "cannot be read", *arguments, str(missing))
        for content in (b"", b"one\ntwo\n", b"\xff", b"x" * 2_000):
            self.file.write_bytes(content)
            with self.assertRaises(CommandError):
                self.run_command(*arguments, str(self.file))
        self.file.write_text("12345678")
        self.assert_fails(1, "too weak", *arguments, str(self.file))

    def test_purelymails_answers_decide_how_it_ends(self) -> None:
        for kind, code, sentence in (
            ("error", 1, "refused"),
            ("drop", 3, "was not created"),
            ("silent_success", 3, "the mailbox is not there"),
        ):
            with self.subTest(kind=kind):
                self.fault(kind, "createUser")
                self.assert_fails(code, sentence, "create_mailbox", ADDRESS)
        self.fault("drop_after", "createUser")
        self.run_command("create_mailbox", ADDRESS)
        # The answer was lost, and the password tried: it opens the mailbox.
        self.assertEqual(self.err.getvalue(), "")
        self.assertTrue(HandOver.objects.exists())


class ResetTests(CommandTestCase):
    def reset(self, *arguments: str) -> Any:
        said = self.run_command("reset_password", OLD, "--json", *arguments)
        return json.loads(said)

    def test_it_sets_one_from_a_file(self) -> None:
        told = self.reset("--password-file", str(self.file), "--allow-reset")
        expected = {"address": OLD, "verified": True, "doubts": []}
        self.assertEqual(told, expected)
        self.assertTrue(self.opens(OLD))
        self.assertEqual(self.last(), ("mailbox.password_reset", "grace"))

    def test_a_made_one_comes_as_a_link(self) -> None:
        self.assertIn("/welcome/", self.reset()["link"])
        self.assertEqual(self.last(), ("mailbox.hand_over_made", "grace"))

    def test_one_that_could_not_be_tried_is_told(self) -> None:
        with override_settings(PURELYMAIL_IMAP_PORT=9):
            told = self.reset("--show-password", "--revoke-app-passwords")
        self.assertFalse(told["verified"])
        self.assertIn("nobody has tried it", told["doubts"][0])
        self.assertTrue(self.opens(OLD, told["password"]))

    def test_what_cannot_be_is_refused(self) -> None:
        command = "reset_password"
        self.assert_fails(1, "There is no mailbox", command, "x@example.org")
        self.fault("silent_success", "modifyUser")
        self.assert_fails(1, "nothing changed", command, OLD)
        self.fault("drop", "modifyUser")
        self.assert_fails(3, "was not changed", command, OLD)
        add_deletion(self.olga, OLD)
        self.assert_fails(1, "Cancel its deletion", command, OLD)


class ListTests(CommandTestCase):
    def test_it_lists_addresses(self) -> None:
        Mailbox.objects.filter(address=OLD).update(gone_at=timezone.now())
        said = self.run_command("list_mailboxes").split()
        self.assertIn("anna@example.org", said)
        self.assertNotIn(OLD, said)

    def test_a_mistyped_domain_is_not_an_empty_one(self) -> None:
        self.assert_fails(
            1, "is not a domain", "list_mailboxes", "--domain=shop.exmple"
        )

    def test_it_tells_what_is_known(self) -> None:
        add_deletion(self.olga, OLD, delete_after=timezone.now() + timedelta(hours=1))
        Mailbox.objects.filter(address=OLD).update(tags=["shop"])
        told = json.loads(
            self.run_command("list_mailboxes", "--domain=SHOP.example", "--json")
        )
        self.assertEqual({it["domain"] for it in told}, {"shop.example"})
        [row] = [it for it in told if it["address"] == OLD]
        self.assertEqual(row["tags"], ["shop"])
        self.assertEqual(row["deletion"], "waiting")
        self.assertIsNone(row["two_factor"])
