"""The people in the tests. Everybody knows their rights from their first letters."""

from __future__ import annotations

from typing import ClassVar

from django.test import TestCase
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.dashboard.models import Setup

PASSWORD = "a-password-for-tests"
HTMX = {"HX-Request": "true"}


class CastTestCase(TestCase):
    """Brings an owner, an admin, a limited admin, a limited helper and an auditor."""

    olga: ClassVar[User]
    adam: ClassVar[User]
    lina: ClassVar[User]
    hedy: ClassVar[User]
    audrey: ClassVar[User]

    @classmethod
    def setUpTestData(cls) -> None:
        create = User.objects.create_user
        cls.olga = create("olga@example.org", PASSWORD, role=Role.OWNER)
        cls.adam = create("adam@example.org", PASSWORD, role=Role.ADMIN)
        cls.lina = create(
            "lina@example.org", PASSWORD, role=Role.ADMIN, domain_scope=["shop.example"]
        )
        cls.hedy = create(
            "hedy@example.org",
            PASSWORD,
            role=Role.HELPDESK,
            domain_scope=["shop.example"],
        )
        cls.audrey = create("audrey@example.org", PASSWORD, role=Role.AUDITOR)
        # They work in a panel that has been set up.
        Setup.objects.create(finished_at=timezone.now())
