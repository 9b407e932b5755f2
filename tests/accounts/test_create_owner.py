from __future__ import annotations

import tempfile
from io import StringIO
from pathlib import Path
from unittest import mock

from django.core.management import CommandError, call_command

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.audit.models import Entry
from tests.cast import CastTestCase

PASSWORD = "correct-horse-battery"


class CreateOwnerTests(CastTestCase):
    def setUp(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.file = folder / "password"
        self.file.write_text(PASSWORD + "\n")

    def create_owner(self, email: str, *options: str) -> str:
        out = StringIO()
        call_command("create_owner", email, *options, stdout=out)
        return out.getvalue().strip()

    def test_it_makes_an_owner(self) -> None:
        self.create_owner("New@Example.org", "--password-file", str(self.file))
        user = User.objects.get(email="new@example.org")
        self.assertEqual(user.role, Role.OWNER)
        self.assertTrue(user.check_password(PASSWORD))
        self.assertEqual(Entry.objects.get().actor_name, "an operator")

    def test_it_can_make_a_password(self) -> None:
        password = self.create_owner("new@example.org", "--random")
        user = User.objects.get(email="new@example.org")
        self.assertTrue(user.check_password(password))
        self.assertGreaterEqual(len(password), 20)

    def test_somebody_limited_becomes_an_owner_of_everything(self) -> None:
        self.create_owner("hedy@example.org", "--random")
        self.hedy.refresh_from_db()
        self.assertEqual(self.hedy.role, Role.OWNER)
        self.assertIsNone(self.hedy.domain_scope)

    def test_it_refuses_what_is_no_address(self) -> None:
        with self.assertRaisesMessage(CommandError, "no e-mail address"):
            self.create_owner("new at example.org", "--random")

    def test_it_refuses_a_weak_password(self) -> None:
        self.file.write_text("short")
        with self.assertRaisesMessage(CommandError, "too short"):
            self.create_owner("new@example.org", "--password-file", str(self.file))
        self.assertFalse(User.objects.filter(email="new@example.org").exists())

    def test_it_says_which_file_it_cannot_read(self) -> None:
        with self.assertRaisesMessage(CommandError, "cannot be read"):
            self.create_owner("new@example.org", "--password-file", "/nowhere/at/all")

    def test_it_asks_twice(self) -> None:
        self.enterContext(mock.patch("sys.stdin.isatty", return_value=True))
        asking = self.enterContext(mock.patch("getpass.getpass"))
        asking.side_effect = [PASSWORD, "another"]
        with self.assertRaisesMessage(CommandError, "two different"):
            self.create_owner("new@example.org")
        self.assertFalse(User.objects.filter(email="new@example.org").exists())
        asking.side_effect = [PASSWORD, PASSWORD]
        self.create_owner("new@example.org")
        user = User.objects.get(email="new@example.org")
        self.assertTrue(user.check_password(PASSWORD))

    def test_it_says_so_where_it_cannot_ask(self) -> None:
        self.enterContext(mock.patch("sys.stdin.isatty", return_value=False))
        with self.assertRaisesMessage(CommandError, "--random or --password-file"):
            self.create_owner("new@example.org")
