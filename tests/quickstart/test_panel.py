from __future__ import annotations

import os
from pathlib import Path
from unittest import mock

import pytest
from django.test import TestCase, override_settings

from purelymanage.accounts.models import User
from purelymanage.dashboard.models import Setup
from purelymanage.quickstart import panel
from purelymanage.quickstart.account import KIND, REAL, SANDBOX
from tests.sandbox import SandboxTestCase

FIRST, SECOND = "the-first-password", "another-password"


def order(password: str, *, reset_password: bool = False) -> panel.Order:
    return {
        "email": "owner@example.org",
        "password": password,
        "reset_password": reset_password,
    }


class EnsureOwnerTests(TestCase):
    @pytest.fixture(autouse=True)
    def _captured(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def assert_password(self, password: str) -> None:
        self.assertTrue(User.objects.get().check_password(password))

    def test_the_first_start_makes_an_owner(self) -> None:
        panel._ensure_owner(order(FIRST, reset_password=True))
        self.assertEqual(User.objects.get().role, "owner")
        self.assert_password(FIRST)

    def test_the_next_start_changes_nothing(self) -> None:
        panel._ensure_owner(order(FIRST))
        panel._ensure_owner(order(FIRST))
        self.assertEqual(self.capsys.readouterr().out, "")

    def test_a_password_that_the_person_chose_is_kept(self) -> None:
        panel._ensure_owner(order(SECOND))
        panel._ensure_owner(order(FIRST))
        self.assert_password(SECOND)
        self.assertEqual(self.capsys.readouterr().out, "note password-changed\n")

    def test_a_password_that_nobody_knows_is_replaced(self) -> None:
        panel._ensure_owner(order(FIRST))
        panel._ensure_owner(order(SECOND, reset_password=True))
        self.assert_password(SECOND)


class SetupTests(TestCase):
    def test_nobody_is_asked_to_set_up_the_demo_account(self) -> None:
        with mock.patch.dict(os.environ, {KIND: REAL}):
            panel._ask_for_no_setup()
        self.assertFalse(Setup.objects.exists())
        with mock.patch.dict(os.environ, {KIND: SANDBOX}):
            panel._ask_for_no_setup()
        self.assertIsNotNone(Setup.objects.get().finished_at)


class FirstLookTests(SandboxTestCase):
    @pytest.fixture(autouse=True)
    def _captured(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    @pytest.mark.slow
    def test_an_account_that_cannot_be_read_is_told(self) -> None:
        with override_settings(PURELYMAIL_API_URL="http://127.0.0.1:1"):
            panel._sync_now()
        self.assertIn(
            "unread PurelyMail could not be reached.", self.capsys.readouterr().out
        )
        self.assertTrue(panel._is_empty())

    def test_an_account_that_was_read_is_no_news(self) -> None:
        panel._sync_now()
        self.assertEqual(self.capsys.readouterr().out, "")
        self.assertFalse(panel._is_empty())


def test_styles_are_collected_only_after_a_change(tmp_path: Path) -> None:
    source, root = tmp_path / "static", tmp_path / "collected"
    source.mkdir()
    (source / "base.css").write_text("a")
    with override_settings(STATIC_ROOT=str(root), STATICFILES_DIRS=[source]):
        panel._collect_static()
        (root / "base.css").write_text("untouched")
        panel._collect_static()
        assert (root / "base.css").read_text() == "untouched"

        (source / "base.css").write_text("b")
        os.utime(source / "base.css", (1, 1))
        panel._collect_static()
        assert (root / "base.css").read_text() == "b"
