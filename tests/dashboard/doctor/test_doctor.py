from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.test import SimpleTestCase, override_settings
from django.utils import timezone

from purelymanage.audit import key_proofs
from purelymanage.audit.models import ChainCheck
from purelymanage.broker import CLUSTERS
from purelymanage.dashboard import checked
from purelymanage.dashboard.doctor import configuration, places, running, state
from purelymanage.dashboard.doctor.results import Check, Result, Tone, broken, good
from purelymanage.domains.models import SyncRun
from purelymanage.environment import BASE_DIR
from tests.cast import CastTestCase

SECURE = override_settings(
    BASE_URL="https://panel.example.org",
    ALLOWED_HOSTS=["panel.example.org"],
    ALLAUTH_TRUSTED_PROXY_COUNT=1,
)


def tones(found: Iterator[Result]) -> list[Tone]:
    return [it.tone for it in found]


def sentence_of(found: Iterator[Result]) -> str:
    return " ".join(f"{it.sentence} {it.fix}" for it in found)


class ConfigurationTests(SimpleTestCase):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.env = tmp_path / "env"
        self.env.write_text("WORKERS=2\n")
        self.env.chmod(0o600)
        self.monkeypatch = monkeypatch
        monkeypatch.setenv("ENV_FILE", str(self.env))

    def test_settings_that_others_can_read_are_broken(self) -> None:
        self.assertEqual(tones(configuration._env_file()), [Tone.GOOD])
        self.env.chmod(0o640)
        (found,) = configuration._env_file()
        self.assertEqual(found.tone, Tone.BROKEN)
        self.assertEqual(found.fix, f"sudo chmod 600 {self.env}")

    def test_so_are_files_of_secrets(self) -> None:
        secret = self.env.with_name("audit-key")
        secret.write_text("canary")
        secret.chmod(0o600)
        self.monkeypatch.setenv("AUDIT_KEY_FILE", str(secret))
        self.assertIn("1 in use", sentence_of(configuration._secret_files()))
        secret.chmod(0o604)
        (found,) = configuration._secret_files()
        self.assertEqual(found.tone, Tone.BROKEN)
        secret.unlink()
        self.assertIn("cannot be read", sentence_of(configuration._secret_files()))

    def test_a_name_that_is_misspelt_is_told(self) -> None:
        self.env.write_text("EMIAL_URL=x\nAUDIT_KEY_FILE=/x\nIMAP_CA_FILE=/y\n")
        (found,) = configuration._names()
        self.assertEqual(found.tone, Tone.ATTENTION)
        self.assertIn("No setting is called EMIAL_URL.", found.sentence)

    def test_keys_are_judged_without_being_shown(self) -> None:
        with override_settings(
            SECRET_KEY="canary", AUDIT_KEY="canary", ENCRYPTION_KEYS="1:canary"
        ):
            self.assertEqual(tones(configuration._keys()), [Tone.BROKEN])
            self.assertNotIn("canary", sentence_of(configuration._keys()))
        with override_settings(SECRET_KEY="canary", AUDIT_KEY="canary"):
            said = sentence_of(configuration._keys())
        self.assertIn("SECRET_KEY is short", said)
        self.assertIn("AUDIT_KEY is short", said)
        self.assertNotIn("canary", said)

    def test_the_address_has_to_be_one_that_people_reach(self) -> None:
        with SECURE:
            self.assertEqual(tones(configuration._address()), [Tone.GOOD])
            with override_settings(ALLOWED_HOSTS=["localhost"]):
                self.assertIn(Tone.BROKEN, tones(configuration._address()))
            with override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=0):
                self.assertIn("TRUSTED_PROXIES", sentence_of(configuration._address()))
            with override_settings(BASE_URL="http://panel.example.org"):
                self.assertIn(
                    "without encryption", sentence_of(configuration._address())
                )

    def test_mail_that_goes_nowhere_is_told(self) -> None:
        self.assertEqual(tones(checked.mail_settings()), [Tone.ATTENTION])

    def test_what_makes_no_sense_is_told(self) -> None:
        self.assertEqual(tones(configuration._rest()), [Tone.GOOD])
        for wrong in (
            {"AUDIT_CHECKPOINT_FILE": "/nowhere/at/all"},
            {"IMAP_CA_FILE": "/nowhere/at/all"},
        ):
            with self.subTest(wrong=wrong), override_settings(**wrong):
                self.assertEqual(tones(configuration._rest()), [Tone.BROKEN])
        with override_settings(SESSION_IDLE_HOURS=100):
            self.assertEqual(tones(configuration._rest()), [Tone.ATTENTION])
        with override_settings(MIGRATION_ENGINE="imapsync", IMAPSYNC_BIN=""):
            self.assertEqual(tones(configuration._copies()), [Tone.BROKEN])

    def test_static_files_have_to_be_collected(self) -> None:
        root = self.env.parent
        with override_settings(STATIC_ROOT=str(root)):
            self.assertEqual(tones(places._static_files()), [Tone.BROKEN])
            (root / "staticfiles.json").write_text('{"paths": {"other.css": "x"}}')
            (found,) = places._static_files()
        self.assertEqual(found.tone, Tone.BROKEN)
        self.assertIn("collectstatic", found.fix)


class StateTests(CastTestCase):
    def test_the_database_is_well(self) -> None:
        self.assertEqual(tones(state._database()), [Tone.GOOD])

    def test_it_tells_what_the_health_page_tells(self) -> None:
        cache.clear()
        said = sentence_of(state._panel())
        self.assertIn("Nobody works on copies.", said)
        self.assertIn("manage.py qcluster", said)
        for name in CLUSTERS:
            cache.set(f"pulse:{name}", "asks for work", 30)
        SyncRun.objects.create(state="done", finished_at=timezone.now())
        self.assertEqual(tones(state._panel()), [Tone.GOOD])

    def test_one_owner_is_few_and_none_is_broken(self) -> None:
        self.assertEqual(tones(state._owners()), [Tone.ATTENTION])
        self.olga.is_active = False
        self.olga.save(update_fields=["is_active"])
        self.assertEqual(tones(state._owners()), [Tone.BROKEN])

    def test_the_audit_log_was_checked_lately(self) -> None:
        self.assertEqual(tones(state._audit()), [Tone.ATTENTION])
        now = timezone.now()
        check = ChainCheck.objects.create(finished_at=now - timedelta(days=3))
        self.assertIn("last checked on", sentence_of(state._audit()))
        ChainCheck.objects.filter(pk=check.pk).update(finished_at=now)
        self.assertEqual(tones(state._audit()), [Tone.GOOD])
        ChainCheck.objects.filter(pk=check.pk).update(problem="Entry 4 is missing.")
        self.assertEqual(tones(state._audit()), [Tone.BROKEN])

    def test_wrong_keys_are_told(self) -> None:
        key_proofs.prove()
        self.assertEqual(tones(iter(checked.keys())), [Tone.GOOD])
        with override_settings(AUDIT_KEY="another"):
            self.assertIn("AUDIT_KEY is not", sentence_of(iter(checked.keys())))


def test_without_a_database_only_one_thing_is_broken() -> None:
    def ask() -> Iterator[Result]:
        raise OperationalError
        yield

    (found,) = running.run([Check("owners", ask, seconds=60)])
    assert found.tone == Tone.ATTENTION
    assert found.fix == "See what is said of the database."


def test_what_hangs_is_left_and_the_rest_is_told() -> None:
    never = threading.Event()

    def hang() -> Iterator[Result]:
        never.wait()
        yield good("slow", "never said")

    def fail() -> Iterator[Result]:
        yield good("odd", "never said")
        raise RuntimeError("canary")

    found = running.run(
        [
            Check("slow", hang, seconds=0.01),
            Check("odd", fail, seconds=60),
            Check("bad", lambda: [broken("bad", "It is.", "Mend it.")], seconds=60),
        ]
    )
    never.set()
    assert [it.subject for it in found] == ["slow", "odd", "bad"]
    assert all(it.tone == Tone.BROKEN for it in found)
    assert found[0].sentence == "There was no answer within 0.01 seconds."
    assert "RuntimeError" in found[1].sentence
    assert "canary" not in str(found)


@pytest.mark.slow
def test_it_looks_where_nothing_answers_and_shows_no_secret(tmp_path: Path) -> None:
    key = "Q2FuYXJ5Q2FuYXJ5Q2FuYXJ5Q2FuYXJ5Q2FuYXJ5Q2E="
    secrets = {
        "SECRET_KEY": "canary-of-the-sessions",
        "ENCRYPTION_KEYS": f"1:{key}",
        "AUDIT_KEY": "canary-of-the-audit-log",
        "DATABASE_URL": f"postgres://postgres:canary-db@/nothing?host={tmp_path}",
        "EMAIL_URL": "smtp+tls://panel:canary-mail@127.0.0.1:9",
        "PURELYMAIL_API_TOKEN": "canary-token",
    }
    places = {
        "ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "purelymanage.settings",
        "PURELYMAIL_API_URL": "http://127.0.0.1:9",
        "PURELYMAIL_IMAP_HOST": "127.0.0.1",
        "PURELYMAIL_IMAP_PORT": "9",
        "DNS_RESOLVERS": "127.0.0.1:9",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--json"],
        cwd=BASE_DIR,
        env=os.environ | secrets | places,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    said = json.loads(done.stdout)
    assert said["ok"] is False
    bad = {it["subject"] for it in said["results"] if it["tone"] == "broken"}
    assert {"database", "mail server", "DNS", "destination of copies"} <= bad
    assert all(it["fix"] for it in said["results"] if it["tone"] != "good")
    for secret in ("canary", key):
        assert secret not in done.stdout + done.stderr
