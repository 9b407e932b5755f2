"""Operations of a mailbox under faults: what the page says, and what is so."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import Any
from unittest import mock

from django.core.cache import cache

from purelymanage.mailboxes.models import Change, Mailbox
from purelymanage.mailboxes.operations.details import refresh_details
from purelymanage.purelymail import client
from purelymanage.purelymail.types import UserDetails
from tests.sandbox import SandboxTestCase

# What goes wrong with a call, how the page is answered, and a part of what it says.
# After `drop_after` and `hang_after` the deed is done, so nothing went wrong.
FAULTS = [
    ("error", 422, "Not on a Sunday."),
    ("silent_success", 422, "but nothing changed"),
    ("hang_after", 302, ""),
    ("drop_after", 302, ""),
    ("drop", 502, "could not be reached"),
    ("status_500", 502, "answered with an error"),
]
HANGS = 0.4  # seconds until a call that hangs is given up


class TruthTestCase(SandboxTestCase):
    """A mailbox of the stand-in with its row, and somebody who handles it."""

    address = ""

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(client, "PAUSES", ()))
        logging.disable(logging.ERROR)
        self.addCleanup(logging.disable, logging.NOTSET)
        self._hanging = self.enterContext(ExitStack())
        self.client.force_login(self.adam)
        self.start_anew()

    def start_anew(self) -> None:
        """Forget what was done before, at PurelyMail and here."""
        self._hanging.close()
        cache.clear()
        self.sandbox.reset()
        Change.objects.all().delete()
        Mailbox.objects.all().delete()
        domain = self.address.rpartition("@")[2]
        self.mailbox = Mailbox.objects.create(address=self.address, domain=domain)
        self.prepare()
        refresh_details(mailbox=self.mailbox, client=client.get_client())
        self.mailbox.refresh_from_db()
        self.sandbox.calls.clear()

    def prepare(self) -> None:
        """Change the mailbox at PurelyMail before anything else begins."""

    def put_in(self, kind: str, operation: str) -> None:
        self.fault(kind, operation, message="Not on a Sunday.")
        if kind == "hang_after":
            self._hanging.enter_context(self.timeout(HANGS, operation))

    def assert_told(self, r: Any, status: int, said: str) -> None:
        self.assertEqual(r.status_code, status, r.content.decode()[-3000:])
        if said:
            self.assertContains(r, said, status_code=status)

    def assert_mirror_is_true(self, **expected: Any) -> None:
        """The row says of a mailbox what PurelyMail says."""
        self.mailbox.refresh_from_db()
        answer = self.remote("getUser", userName=self.address)
        details = UserDetails.from_answer(answer)
        for name, value in details.as_columns().items():
            self.assertEqual(getattr(self.mailbox, name), value, name)
        for name, value in expected.items():
            self.assertEqual(getattr(self.mailbox, name), value, name)
        self.assertFalse(Change.objects.asked().exists())
