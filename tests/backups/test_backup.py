"""A panel is backed up, destroyed, and put back elsewhere."""

from __future__ import annotations

import base64
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock
from urllib.parse import quote

import psycopg
import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client, TransactionTestCase, override_settings

from deploy.backups import backup, restore, stream
from purelymanage import crypto
from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.audit import key_proofs
from purelymanage.audit.mail import queue_mail
from purelymanage.audit.models import Entry
from purelymanage.audit.verification import walk
from purelymanage.environment import BASE_DIR
from purelymanage.mailboxes.models import HandOver
from purelymanage.quickstart import environment
from tests.account import add_hand_over, fill_account
from tests.audit.test_chain import write
from tests.cast import PASSWORD
from tests.databases import empty_database
from tests.requirements import require_program

PASSPHRASE = "correct horse battery"


def keys(letter: str) -> dict[str, str]:
    return {
        "SECRET_KEY": f"secret {letter}",
        "ENCRYPTION_KEYS": f"1:{base64.b64encode(letter.encode() * 32).decode()}",
        "AUDIT_KEY": f"audit {letter}",
    }


def url() -> str:
    """Return where the database is that the connection leads to."""
    found = connection.get_connection_params()
    user, password = quote(found.get("user", "")), quote(found.get("password", ""))
    who = f"{user}:{password}@" if password else f"{user}@"
    host, port = quote(str(found.get("host", "")), safe=""), found.get("port", 5432)
    return f"postgres://{who}/{found['dbname']}?host={host}&port={port}"


@pytest.mark.slow
class BackupTests(TransactionTestCase):
    @pytest.fixture(autouse=True)
    def _alone(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> Iterator[None]:
        self.folder = tmp_path / "backups"
        self.here, self.elsewhere = tmp_path / "here", tmp_path / "elsewhere"
        self.passphrase = tmp_path / "passphrase"
        self.passphrase.write_text(PASSPHRASE)
        self.passphrase.chmod(0o600)
        for name in (*keys("x"), "DATABASE_URL", "BASE_URL", "EMAIL_URL", "ENV_FILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "purelymanage.settings")
        monkeypatch.setattr(stream, "COST", 2)
        self.capsys = capsys
        yield

    def setUp(self) -> None:
        environment.write(
            self.here,
            keys("a") | {"DATABASE_URL": url(), "BASE_URL": "https://panel.example"},
        )

    def run_it(self, main: object, *arguments: object) -> tuple[int, str]:
        assert callable(main)
        code = main([*map(str, arguments)])
        said = self.capsys.readouterr()
        return code, said.out + said.err

    def back_up(self, *more: object) -> tuple[int, str]:
        return self.run_it(backup.main, *self.options(self.here), *more)

    def options(self, env: Path) -> tuple[object, ...]:
        secret = ("--passphrase-file", self.passphrase)
        return ("--to", self.folder, *secret, "--env-file", env)

    def restore(self, *more: object) -> tuple[int, str]:
        secret = ("--passphrase-file", self.passphrase)
        where = ("--from", self.folder, "--env-file", self.elsewhere)
        return self.run_it(restore.main, "newest", *where, *secret, *more)

    def backups(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def test_a_panel_comes_back_elsewhere(self) -> None:
        with override_settings(**keys("a")):
            fill_account()
            User.objects.create_user("olga@example.org", PASSWORD, role=Role.OWNER)
            add_hand_over(password="nine-blue-canaries", token="a-token")
            write(5)
            queue_mail(to="olga@example.org", subject="Hello", text="a link")
            key_proofs.prove()
        code, said = self.back_up()
        self.assertEqual(code, 0, said)
        (name,) = self.backups()
        self.assertNotIn(b"canaries", (self.folder / name).read_bytes())
        self.assertNotIn(b"olga", (self.folder / name).read_bytes())

        call_command("flush", interactive=False, verbosity=0)
        self.assertFalse(User.objects.exists())
        self.here.unlink()

        with empty_database():
            environment.write(self.elsewhere, keys("b") | {"DATABASE_URL": url()})
            code, said = self.restore()
            self.assertEqual(code, 0, said)
            self.assertIn("5 entries are as they were written", said)
            self.assertIn("on their way when the backup was made: 1.", said)
            kept = environment.read(self.elsewhere)
            self.assertEqual(kept | keys("a"), kept)
            with override_settings(**{name: kept[name] for name in keys("a")}):
                self.assert_alive()
            self.assertIn("The panel is running", self.restore()[1])
            connection.close()
            code, said = self.restore()
            self.assertEqual(code, 1)
            self.assertIn("run this again with --overwrite", said)
            self.assertIn("olga@example.org", User.objects.values_list("email")[0])

    def assert_alive(self) -> None:
        key_proofs.prove()
        cache.clear()
        client = Client()
        form = {"login": "olga@example.org", "password": PASSWORD}
        self.assertRedirects(
            client.post("/accounts/login/", form), "/", fetch_redirect_response=False
        )
        # Signing in was written down, and fits the entries from before.
        self.assertGreater(Entry.objects.count(), 5)
        self.assertEqual(walk().problem, "")
        link = HandOver.objects.get()
        self.assertEqual(
            crypto.unseal(link.secret, bound_to=link.secret_place), "nine-blue-canaries"
        )

    def test_what_is_wrong_is_told_and_changes_nothing(self) -> None:
        self.assertEqual(self.back_up()[0], 0)
        (name,) = self.backups()
        whole = self.folder / name
        code, said = self.back_up("--check", "newest")
        self.assertEqual(code, 0, said)
        self.assertRegex(said, "whole, of https://panel.example .* tables")

        environment.write(self.elsewhere, keys("b") | {"DATABASE_URL": url()})
        before = self.elsewhere.read_text()
        # Told before the database is looked at, let alone filled.
        with mock.patch.dict(os.environ, AUDIT_KEY="another"):
            code, said = self.restore("--overwrite")
        self.assertEqual((code, "Database" in said), (1, False), said)
        self.assertIn("The environment sets AUDIT_KEY", said)
        data = whole.read_bytes()
        whole.write_bytes(data[:-1])
        for answer in (self.back_up("--check", "newest"), self.restore("--overwrite")):
            self.assertEqual(answer[0], 1)
            self.assertIn("cut off", answer[1])
        whole.write_bytes(data)
        self.passphrase.write_text("another passphrase")
        for answer in (self.back_up("--check", "newest"), self.restore("--overwrite")):
            self.assertEqual(answer[0], 1)
            self.assertIn("passphrase is wrong", answer[1])
        self.passphrase.chmod(0o644)
        self.assertIn("Others can read", self.restore()[1])
        self.passphrase.chmod(0o600)
        self.passphrase.write_text("too short")
        self.assertIn("at least 12 characters", self.back_up()[1])
        self.assertEqual(self.elsewhere.read_text(), before)

    def test_a_full_disk_leaves_the_earlier_backup(self) -> None:
        self.assertEqual(self.back_up()[0], 0)
        before = self.backups()
        with small_files(20_000):
            code, said = self.back_up()
        self.assertEqual((code, self.backups()), (1, before))
        self.assertIn("File too large", said)

    def test_one_that_was_killed_leaves_the_earlier_backup(self) -> None:
        self.assertEqual(self.back_up()[0], 0)
        (before,) = self.backups()
        command = [sys.executable, "-m", "deploy.backups.backup"]
        command += map(str, self.options(self.here))
        with psycopg.connect(**connection.get_connection_params()) as other:
            # It waits for this table, and so is in the middle.
            other.execute("LOCK TABLE routing_rule IN ACCESS EXCLUSIVE MODE")
            killed = subprocess.Popen(command, cwd=BASE_DIR)
            try:
                while not dumps(waiting=True):
                    self.assertIsNone(killed.poll())
                    time.sleep(0.02)
            finally:
                killed.send_signal(signal.SIGKILL)
                killed.wait()
            self.assertEqual(len(self.backups()), 2)
            while dumps():  # it does not go on alone
                time.sleep(0.02)
        self.assertEqual(self.back_up("--check", "newest")[0], 0)
        self.assertEqual(self.back_up()[0], 0)
        self.assertEqual(len(self.backups()), 2)
        self.assertIn(before, self.backups())
        self.assertFalse([it for it in self.backups() if it.endswith(".partial")])

    def test_age_seals_it_as_well(self) -> None:
        identity = self.here.with_name("identity")
        made = subprocess.run(
            [require_program("age-keygen"), "--output", str(identity)],
            capture_output=True,
            text=True,
            check=True,
        )
        recipient = made.stderr.split()[-1]
        env = ("--env-file", self.here)
        where = ("--to", self.folder, *env)
        code, said = self.run_it(backup.main, *where, "--age-recipient", recipient)
        self.assertEqual(code, 0, said)
        (name,) = self.backups()
        self.assertTrue(name.endswith(".backup.age"))
        check = (*where, "--check", "newest", "--identity", identity)
        code, said = self.run_it(backup.main, *check)
        self.assertEqual(code, 0, said)
        whole = self.folder / name
        whole.write_bytes(whole.read_bytes()[:-1])
        code, said = self.run_it(backup.main, *check)
        self.assertEqual(code, 1)
        self.assertIn("age does not open this backup", said)
        code, said = self.run_it(backup.main, *where, "--age-recipient", "nonsense")
        self.assertEqual(code, 1)
        self.assertIn("age did not finish", said)
        self.assertEqual(self.backups(), [name])


@contextmanager
def small_files(limit: int) -> Iterator[None]:
    """Let no file become larger, as if the disk were full then."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def dumps(*, waiting: bool = False) -> int:
    """Count the programs that read this database to dump it."""
    query = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = 'pg_dump'"
    )
    if waiting:
        query += " AND wait_event_type = 'Lock'"
    params = connection.get_connection_params()
    with psycopg.connect(**params) as other:
        return len(other.execute(query).fetchall())
