"""A running stand-in for PurelyMail, for tests that call it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, ClassVar
from unittest import mock

from django.test import SimpleTestCase, override_settings

from purelymanage.audit.models import Agent
from purelymanage.domains import sync
from purelymanage.purelymail import budget
from purelymanage.purelymail.client import PurelymailClient
from purelymanage.purelymail.sandbox.server import Sandbox
from tests.cast import CastTestCase


class WithSandbox(SimpleTestCase):
    """Runs the API of the stand-in, fresh for each test, with its demo account.

    The budget does not hold the tests up, unless a test says so.
    """

    sandbox: ClassVar[Sandbox]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.sandbox = cls.enterClassContext(Sandbox(dns=False, imap=False))
        cls.enterClassContext(
            override_settings(
                PURELYMAIL_API_URL=cls.sandbox.api_url,
                PURELYMAIL_API_TOKEN=cls.sandbox.api_token,
            )
        )
        cls.enterClassContext(mock.patch.object(budget, "SECONDS_A_CALL", 0.0))

    def setUp(self) -> None:
        super().setUp()
        self.sandbox.reset()

    def fault(self, kind: str, operation: str = "*", **details: Any) -> None:
        """Let the next call of `operation` go wrong; `times=None` is every call."""
        self.sandbox.faults.add(kind, operation, **details)

    def remote(self, operation: str, **body: Any) -> dict[str, Any]:
        """Change or read the account the way somebody outside the panel would."""
        return self.sandbox.account.call(operation, body)

    def timeout(self, seconds: float, operation: str) -> AbstractContextManager[Any]:
        """Let calls of `operation` give up early.

        No others: on a busy machine, reads that nothing is wrong with take longer.
        """
        real = PurelymailClient._call

        def call(
            client: PurelymailClient, called: str, /, *args: Any, **body: Any
        ) -> Any:
            if called != operation:
                return real(client, called, *args, **body)
            with mock.patch.object(client, "_timeout", seconds):
                return real(client, called, *args, **body)

        return mock.patch.object(PurelymailClient, "_call", call)


class SandboxTestCase(WithSandbox, CastTestCase):
    """A test with the people of the cast, a database and a running stand-in."""


class SyncedTestCase(SandboxTestCase):
    """Each test begins with the mirror of the account, which is read once for all."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        sync.sync(actor=Agent.PANEL)
