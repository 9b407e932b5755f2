from __future__ import annotations

import base64
import io
import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from unittest import mock
from urllib.parse import urlsplit

import psycopg
import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import TestCase, TransactionTestCase, override_settings
from django.utils import timezone

from purelymanage import crypto, sealed
from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.audit import key_rotation
from purelymanage.audit.mail import queue_mail
from purelymanage.audit.models import Agent, Entry, OutgoingMail
from purelymanage.audit.verification import walk
from purelymanage.environment import BASE_DIR, NEVER_MIND, application_name
from purelymanage.migrations.models import Job, Participant, Submission
from tests.account import (
    add_app_password,
    add_batches,
    add_belongings,
    add_bulks,
    add_campaign,
    add_hand_over,
    add_job,
    add_server,
    fill_account,
)


def key(key_id: str) -> str:
    return f"{key_id}:{base64.b64encode(key_id.encode() * 32).decode()}"


OLD = override_settings(ENCRYPTION_KEYS=key("1"))
BOTH = override_settings(ENCRYPTION_KEYS=f"{key('2')},{key('1')}")
NEW = override_settings(ENCRYPTION_KEYS=key("2"))


def rotate(*arguments: str) -> str:
    said = io.StringIO()
    call_command("rotate_keys", *arguments, stdout=said)
    return said.getvalue()


def fill_columns() -> None:
    """Write a sealed text into each column that takes one."""
    fill_account()
    olga = User.objects.create_user("olga@example.org", None, role=Role.OWNER)
    server = add_server(olga, pk=1)
    job = add_job(server, pk=1)
    Job.objects.update(secret_expires_at=timezone.now() + timedelta(days=1))
    add_batches(server)
    add_campaign(server, pk=1)
    person = Participant.objects.all()[0]
    Submission.objects.create(participant=person, due_at=timezone.now())
    add_belongings(olga)
    add_bulks(olga)
    add_hand_over(pk=1)
    add_app_password(olga, pk=1)
    for subject in ("Hello", "Hello again"):
        queue_mail(to="olga@example.org", subject=subject, text="a link")
    for column in sealed.columns():
        if column.is_text and not column.filled().exists():
            row = column.model._base_manager.all()[0]
            field = column.model._meta.get_field(column.column)
            assert isinstance(field, sealed.SealedTextField)
            place = getattr(row, field.bound_to)
            text = crypto.seal(f"of job {job.pk}", bound_to=place)
            rows = column.model._base_manager.filter(pk=row.pk)
            rows.update(**{column.column: text})


def opened() -> dict[str, list[str]]:
    """Open everything that is sealed."""
    found: dict[str, list[str]] = {}

    def note(text: str, place: str) -> str:
        found.setdefault(place, []).append(crypto.unseal(text, bound_to=place))
        return text

    for column in sealed.columns():
        for row in column.filled():
            column.with_changed(row, note)
    return found


class RotateKeysTests(TestCase):
    @classmethod
    @OLD
    def setUpTestData(cls) -> None:
        fill_columns()

    def used(self) -> Counter[str | None]:
        used: Counter[str | None] = Counter()
        for column, counted in sealed.count_keys().items():
            self.assertTrue(counted, f"{column.label} is empty")
            used.update(counted)
        return used

    def test_everything_is_sealed_anew_and_opens_with_the_new_key_alone(self) -> None:
        with OLD:
            before = opened()
        count = self.used()["1"]
        with BOTH:
            said = rotate()
        self.assertEqual(self.used(), Counter({"2": count}))
        with NEW:
            self.assertEqual(opened(), before)
        for column in sealed.columns():
            self.assertRegex(said, rf"{column.label}: [1-9]\d* sealed anew")
        self.assertIn("The key 1 is used by nothing any more: take it out", said)

    def test_it_is_in_the_audit_log_without_anything_secret(self) -> None:
        with BOTH:
            rotate()
        entries = Entry.objects.filter(event="panel.secrets_resealed")
        self.assertEqual(entries.count(), len(list(sealed.columns())))
        entry = entries.get(target="mailboxes.HandOver.token")
        self.assertIn("with the encryption key 2", entry.sentence)
        self.assertEqual(walk().problem, "")

    def test_a_dry_run_counts_and_changes_nothing(self) -> None:
        with BOTH:
            said = rotate("--dry-run")
        self.assertIn("mailboxes.HandOver.token: 1 with the key 1\n", said)
        self.assertIn("The key 1 is needed", said)
        self.assertEqual(set(self.used()), {"1"})
        self.assertFalse(Entry.objects.filter(event__contains="reseal").exists())

    def test_what_was_stopped_goes_on_where_it_was(self) -> None:
        with BOTH, mock.patch.object(key_rotation, "PER_BATCH", 1):
            column = next(it for it in sealed.columns() if it.model is OutgoingMail)
            pks = next(key_rotation._batches(column, set()))
            done = key_rotation.Outcome()
            key_rotation._reseal_batch(column, pks, done, Agent.PANEL)
            self.assertEqual(done.resealed, 1)
            rest = column.filled().count() - 1
            self.assertIn(f"{column.label}: {rest} sealed anew", rotate())
            self.assertIn(f"{column.label}: 0 sealed anew", rotate())
        self.assertEqual(set(self.used()), {"2"})

    def test_a_text_that_does_not_open_is_left_and_told(self) -> None:
        with OLD:
            wrong = crypto.seal("x", bound_to="another row")
        mail = OutgoingMail.objects.get(subject="Hello")
        OutgoingMail.objects.filter(pk=mail.pk).update(sealed=wrong)
        with BOTH, self.assertRaisesMessage(CommandError, "cannot be opened") as caught:
            rotate()
        self.assertIn(f"(rows {mail.pk})", str(caught.exception))
        mail.refresh_from_db()
        self.assertEqual(mail.sealed, wrong)
        self.assertEqual(self.used()["1"], 1)

    def test_a_text_of_a_key_that_is_missing_keeps_nothing_else_back(self) -> None:
        with override_settings(ENCRYPTION_KEYS=key("0")):
            lost = crypto.seal("x", bound_to="a key that was taken out too early")
        mail = OutgoingMail.objects.get(subject="Hello")
        OutgoingMail.objects.filter(pk=mail.pk).update(sealed=lost)
        with BOTH, self.assertRaisesMessage(CommandError, f"(rows {mail.pk})"):
            rotate()
        self.assertEqual((self.used()["0"], self.used()["1"]), (1, 0))

    def test_passkeys_and_the_rest_of_second_factors_stay(self) -> None:
        passkey = Authenticator.objects.get(type="webauthn").data
        with BOTH:
            rotate()
        self.assertEqual(Authenticator.objects.get(type="webauthn").data, passkey)
        codes = Authenticator.objects.get(type="recovery_codes").data
        self.assertEqual(codes["used_mask"], 0)

    def test_the_settings_name_the_keys_and_not_more(self) -> None:
        name = application_name(f"{key('2')}, {key('1')}")
        self.assertEqual(name, "purelymanage keys 2,1")
        options = settings.DATABASES["default"]["OPTIONS"]
        self.assertIn("purelymanage keys", options["fallback_application_name"])


class AtTheSameTimeTests(TransactionTestCase):
    def test_nobody_waits_and_no_change_is_lost(self) -> None:
        with OLD:
            for number in range(3):
                queue_mail(to=f"{number}@example.org", subject="Hello", text="a link")
        held = OutgoingMail.objects.get(recipient="1@example.org")
        (column,) = [it for it in sealed.columns() if it.model is OutgoingMail]
        params = connection.get_connection_params()
        with BOTH, mock.patch.object(key_rotation, "PASSES", 1):
            with psycopg.connect(**params) as other:
                other.execute(
                    "UPDATE audit_outgoingmail SET sealed = '' WHERE id = %s", [held.pk]
                )
                done = key_rotation.reseal(column, actor=Agent.PANEL)
                self.assertEqual((done.resealed, done.busy), (2, 1))
            done = key_rotation.reseal(column, actor=Agent.PANEL)
        self.assertEqual((done.resealed, done.busy), (0, 0))
        held.refresh_from_db()
        self.assertEqual(held.sealed, "")
        self.assertEqual(column.count_keys(), Counter({"2": 2}))

    def test_whoever_does_not_know_the_new_key_is_restarted_first(self) -> None:
        params = connection.get_connection_params() | {
            "fallback_application_name": application_name(key("1"))
        }
        with BOTH:
            with psycopg.connect(**params), self.assertRaises(CommandError) as caught:
                rotate()
            self.assertIn("does not know the key 2 yet", str(caught.exception))
            params["fallback_application_name"] = application_name(
                f"{key('1')},{key('2')}"
            )
            with psycopg.connect(**params):
                self.assertIn("something that runs still seals with it", rotate())

    @pytest.mark.slow
    def test_no_process_starts_with_a_wrong_key(self) -> None:
        with OLD:
            queue_mail(to="olga@example.org", subject="Hello", text="a link")
        url = urlsplit(settings.DATABASE_URL)
        name = connection.settings_dict["NAME"]
        env = os.environ | {
            "ENV_FILE": os.devnull,
            "DJANGO_SETTINGS_MODULE": "purelymanage.settings",
            "DATABASE_URL": url._replace(path=f"/{name}").geturl(),
            "AUDIT_KEY": settings.AUDIT_KEY,
            "ENCRYPTION_KEYS": f"1:{key('2')[2:]}",
        }
        for command in (
            ["-c", "import purelymanage.wsgi"],
            ["manage.py", "qcluster", "--skip-checks"],
        ):
            done = subprocess.run(
                [sys.executable, *command],
                cwd=BASE_DIR,
                env=env,
                capture_output=True,
                text=True,
                check=False,
            )
            with self.subTest(command=command):
                self.assertEqual(done.returncode, NEVER_MIND)
                self.assertIn(
                    "The key 1 in ENCRYPTION_KEYS is not the one", done.stderr
                )
        self.assertTrue(OutgoingMail.objects.exclude(sealed="").exists())
