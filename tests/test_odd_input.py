"""Whatever somebody sends, no page breaks: it is refused, or not found."""

from __future__ import annotations

from copy import deepcopy
from io import BytesIO
from typing import Any
from unittest import mock
from urllib.parse import urlencode
from wsgiref.util import setup_testing_defaults

import pytest
from django import forms
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIRequest
from django.db import transaction
from django.http import QueryDict
from django.test import SimpleTestCase
from django.urls import get_resolver

from purelymanage.in_utf_8 import in_utf_8
from purelymanage.purelymail import client
from tests.account import add_one_of_each
from tests.cast import HTMX, CastTestCase
from tests.proof import prove
from tests.routes import ROUTES

FORM = "application/x-www-form-urlencoded"
# Longer than any column, and no text for PostgreSQL; and no number it could keep.
ODD = ("\0" + "x" * 5000, "9" * 25)
# What is compared with something, or taken apart before any of it is kept.
NEVER_KEPT = {
    *("accepted", "confirm", "local_part", "logins", "shown", "table"),
}
# Cut to the name of a domain, as whole addresses are pasted.
CUT = {("AddDomainForm", "name")}
# Kept as a hash of it, or sealed in a column without a limit.
SECRET = {"password"}


class Everything(QueryDict):
    """Has a value under every name that anybody asks for, always the same one."""

    def __init__(self, value: str) -> None:
        super().__init__(mutable=True)
        self.value = value

    def __contains__(self, name: object) -> bool:
        return True

    def __getitem__(self, name: str) -> str:
        return self.value

    def __delitem__(self, name: object) -> None:
        """Let whoever drops a name find a value under it as well."""

    def get(self, name: str, default: Any = None) -> Any:
        return self.value

    def getlist(self, name: str, default: Any = None) -> list[Any]:
        return [self.value]

    def copy(self) -> Everything:
        return Everything(self.value)


class OddInputTests(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        add_one_of_each(cls.olga)

    def setUp(self) -> None:
        # Nobody answers for PurelyMail, and no read needs to be tried again.
        self.enterContext(mock.patch.object(client, "PAUSES", ()))

    def sign_in(self) -> None:
        self.client.force_login(self.olga)
        prove(self.client)

    def assert_answered(self, method: str, path: str, **request: Any) -> None:
        """Ask, and leave everything as it was before."""
        cookies = deepcopy(self.client.cookies)
        before = transaction.savepoint()
        with self.subTest(method=method, path=path, **request):
            try:
                r = self.client.generic(method, path, **request)
                self.assertNotEqual(r.status_code, 500)
            finally:
                transaction.savepoint_rollback(before)
                self.client.cookies = cookies
                cache.clear()

    def assert_sent(self, path: str, **fields: str) -> None:
        self.assert_answered("POST", path, data=urlencode(fields), content_type=FORM)

    @pytest.mark.slow
    def test_odd_values_under_every_name(self) -> None:
        self.sign_in()
        for value in ODD:
            given = Everything(value)
            with (
                mock.patch.object(WSGIRequest, "GET", given),
                mock.patch.object(WSGIRequest, "POST", given),
            ):
                for route in ROUTES.values():
                    self.assert_answered("GET", route.path, headers=HTMX)
                    self.assert_answered("POST", route.path)

    @pytest.mark.slow
    def test_odd_values_within_addresses(self) -> None:
        self.sign_in()
        for route in ROUTES.values():
            parts = route.path.split("/")
            for place, part in enumerate(parts):
                if any(it in part for it in "@.") or "token" in part:
                    path = "/".join([*parts[:place], "%00", *parts[place + 1 :]])
                    self.assert_answered("GET", path, headers=HTMX)
                    self.assert_answered("POST", path)

    @pytest.mark.slow
    def test_no_address_at_all_to_go_back_to(self) -> None:
        for path in ("/accounts/login/?next=http://[", "/accounts/login/?next=\0"):
            self.assert_answered("GET", path)
        self.sign_in()
        for back in ("http://[", "mailboxes", "1", "//[", "/\n"):
            for path in ("/domains/sync/", "/deletions/1/cancel/", "/accounts/logout/"):
                self.assert_sent(path, next=back)
        self.assert_answered("GET", "/", headers=HTMX | {"HX-Current-URL": "http://["})

    def test_what_is_nested_without_end(self) -> None:
        for text in ("[" * 100_000, '"\\ud800"', '{"id": "\\u0000"}'):
            path = "/accounts/2fa/passkeys/login/"
            self.assert_answered("GET", path)
            self.assert_sent(path, credential=text)


class EncodingTests(SimpleTestCase):
    def test_texts_are_read_as_utf_8_whatever_they_say_they_are(self) -> None:
        for charset in ("hex", "punycode", "undefined", "unicode_escape", "utf-16"):
            asked: dict[str, Any] = {
                "REQUEST_METHOD": "POST",
                "QUERY_STRING": "q=%5Cud800",
                "CONTENT_TYPE": f"{FORM}; Charset={charset}",
                "CONTENT_LENGTH": "19",
                "wsgi.input": BytesIO(b"login=%5Cud800%FF\xc3\xa9"),
            }
            with self.subTest(charset):
                in_utf_8(self.read)(asked, mock.Mock())

    def read(self, environ: dict[str, Any], start_response: object) -> list[bytes]:
        setup_testing_defaults(environ)
        request = WSGIRequest(environ)
        self.assertEqual(request.GET["q"], r"\ud800")
        self.assertEqual(request.POST["login"], "\\ud800\N{REPLACEMENT CHARACTER}é")
        return []

    def test_whatever_else_is_said_of_them_stays(self) -> None:
        asked = {"CONTENT_TYPE": "multipart/form-data; charset=utf-16; boundary=x"}
        in_utf_8(lambda *_: [])(asked, mock.Mock())
        self.assertEqual(asked["CONTENT_TYPE"], "multipart/form-data; boundary=x")


class LengthTests(SimpleTestCase):
    """No form takes more than the columns hold that its fields are named like."""

    def test_fields_take_what_columns_hold(self) -> None:
        held = columns()
        for form in all_forms(forms.BaseForm):
            app = form.__module__.split(".")[1]
            for name, field in getattr(form, "base_fields", {}).items():
                if not isinstance(field, forms.CharField) or name in NEVER_KEPT:
                    continue
                if form.__module__ == "purelymanage.accounts.security.forms":
                    continue  # what it asks for is allauth's, and compared with something
                with self.subTest(form=form.__qualname__, field=name):
                    assert field.max_length is not None
                    if isinstance(field, forms.EmailField):
                        self.assertLessEqual(field.max_length, 254)
                    if (form.__name__, name) not in CUT and name not in SECRET:
                        most = held.get((app, name), field.max_length)
                        self.assertLessEqual(field.max_length, most)


def columns() -> dict[tuple[str, str], int]:
    """Return the shortest column of each name in each app."""
    from django.apps import apps

    held: dict[tuple[str, str], int] = {}
    for model in apps.get_models():
        for column in model._meta.get_fields():
            if most := getattr(column, "max_length", None):
                key = (model._meta.app_label, column.name)
                held[key] = min(most, held.get(key, most))
    return held


def all_forms(kind: type[Any]) -> set[type[Any]]:
    """Return all forms of the panel; with its routes all of them are there."""
    assert get_resolver().url_patterns
    found = {
        it for it in kind.__subclasses__() if it.__module__ != "django.forms.forms"
    }
    below = {it for sub in kind.__subclasses__() for it in all_forms(sub)}
    return {it for it in found | below if it.__module__.startswith("purelymanage.")}
