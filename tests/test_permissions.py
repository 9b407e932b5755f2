from __future__ import annotations

from collections.abc import Iterator
from unittest import mock

import pytest
from django.core.cache import cache
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.purelymail import client
from tests.account import add_one_of_each
from tests.cast import HTMX, CastTestCase
from tests.proof import prove
from tests.route import Route
from tests.routes import ROUTES

TURNED_AWAY = {403, 404}


def names(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            namespace = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from names(pattern.url_patterns, prefix + namespace)
        else:
            yield f"{prefix}{pattern.name}"


def expected(route: Route, user: User) -> set[int] | None:
    """Return the answers that turn `user` away, or None if they are let in."""
    if route.right and not user.may(route.right):
        return {403}
    if route.is_own and user.role != Role.OWNER:
        return {404}
    if user.domain_scope is not None:
        if route.is_scoped:
            return {404}
        if route.is_shared:
            return TURNED_AWAY
    return None


class PermissionTests(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        add_one_of_each(cls.olga)

    def setUp(self) -> None:
        # Nobody answers for PurelyMail, and no read needs to be tried again.
        self.enterContext(mock.patch.object(client, "PAUSES", ()))

    def test_every_route_is_in_the_table(self) -> None:
        found = list(names(get_resolver().url_patterns))
        self.assertEqual(sorted(found), sorted(ROUTES))

    def test_every_path_in_the_table_leads_to_its_route(self) -> None:
        for name, route in ROUTES.items():
            self.assertEqual(resolve(route.path).view_name, name)

    @pytest.mark.slow
    def test_strangers_get_nowhere(self) -> None:
        for name, route in ROUTES.items():
            for method in ("get", "post"):
                cache.clear()
                r = getattr(self.client, method)(route.path)
                with self.subTest(name=name, method=method):
                    if route.is_open:
                        self.assertNotIn(r.status_code, TURNED_AWAY)
                    else:
                        self.assertEqual(r.status_code, 302)
                        self.assertTrue(r["Location"].startswith("/accounts/login/"))

    def test_strangers_get_nowhere_by_htmx(self) -> None:
        for name, route in ROUTES.items():
            if not route.is_open:
                r = self.client.get(route.path, headers=HTMX)
                with self.subTest(name=name):
                    self.assertIn("/accounts/login/", r["HX-Redirect"])
                    self.assertEqual(r.content, b"")

    @pytest.mark.slow
    def test_everybody_gets_where_their_rights_reach(self) -> None:
        people = (self.olga, self.adam, self.lina, self.hedy, self.audrey)
        for user in people:
            for name, route in ROUTES.items():
                answers = {
                    self.check(user, name, route, method) for method in ("get", "post")
                }
                self.assertNotEqual(answers, {405}, name)

    def check(self, user: User, name: str, route: Route, method: str) -> int:
        """Return the status of the answer, which fits the rights of `user`."""
        cache.clear()
        ask = getattr(self.client, method)
        answer = ask(route.path)
        # Somebody before, or nobody since they ended their session.
        if getattr(answer.wsgi_request, "user", user) != user:
            self.client.force_login(user)
            prove(self.client)
            answer = ask(route.path)
        status: int = answer.status_code
        if status == 405:  # says nothing about anybody's rights
            return status
        with self.subTest(user=user.email, name=name, method=method):
            away = expected(route, user)
            if away:
                self.assertIn(status, away)
            else:
                self.assertNotIn(status, TURNED_AWAY)
                self.assertNotEqual(status, 500)
        return status
