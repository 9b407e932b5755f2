"""What the tests of bulk changes share."""

from __future__ import annotations

from typing import Any
from unittest import mock

from django.test import override_settings
from django_q.models import OrmQ

from purelymanage.accounts.models import User
from purelymanage.audit.models import Entry
from purelymanage.crypto import unseal
from purelymanage.mailboxes.bulk import drafts, running, tasks
from purelymanage.mailboxes.bulk.rows import WORK
from purelymanage.mailboxes.bulk.wanted import Defaults
from purelymanage.mailboxes.models import Bulk, HandOver
from purelymanage.purelymail import client
from purelymanage.sheets.reading import read
from tests.sandbox import SyncedTestCase, WithSandbox

# Where nothing answers: a password can be set there and not be tried.
NO_IMAP = override_settings(PURELYMAIL_IMAP_HOST="127.0.0.1", PURELYMAIL_IMAP_PORT=9)
ADDRESSES = [f"box{number}@shop.example" for number in range(1, 1_000)]


class WithBulks(WithSandbox):
    """Drafts bulk changes and works them off as the workers would, one after another."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.enterClassContext(NO_IMAP)
        # Reads are tried three times, one right after the other here.
        cls.enterClassContext(mock.patch.object(client, "PAUSES", (0.0, 0.0)))

    def import_rows(
        self, count: int, actor: User, *, lines: list[str] | None = None
    ) -> Bulk:
        """Draft a creation from a file with one address a line."""
        lines = ["address", *(lines or ADDRESSES[:count])]
        sheet = read("\n".join(lines).encode(), "people.csv", header=True)
        bulk = drafts.import_sheet(kind=Bulk.Kind.CREATE, sheet=sheet, actor=actor)
        drafts.map_columns(
            bulk=bulk, columns={0: "address"}, defaults=Defaults(), actor=actor
        )
        return bulk

    def start(self, bulk: Bulk, actor: User, **wishes: Any) -> None:
        drafts.start_bulk(bulk=bulk, wishes=wishes, actor=actor)

    def work(self, *, slices: int = 100) -> None:
        """Carry out what is queued, and what that queues, until nothing is."""
        for _ in range(slices):
            task = self.tasks().first()
            if task is None:
                return
            arguments = task.args()
            task.delete()
            tasks.run_bulk(*arguments)

    def tasks(self) -> Any:
        keys = [it.pk for it in OrmQ.objects.all() if it.func() == WORK.task]
        return OrmQ.objects.filter(pk__in=keys).order_by("pk")

    def counts(self, bulk: Bulk) -> dict[str, int]:
        return bulk.rows.by_state()

    def users(self) -> dict[str, Any]:
        return self.sandbox.account.state.users

    def made(self) -> list[str]:
        """Return the mailboxes that were created since the demo account."""
        return sorted(set(self.users()) & set(ADDRESSES))

    def has_usable_password(self, address: str) -> bool:
        """Whether the one link to a password shows the one that opens the mailbox."""
        [link] = HandOver.objects.open().filter(mailbox__address=address)
        password = unseal(link.secret, bound_to=link.secret_place)
        matches: bool = self.users()[address].password.matches(password)
        return matches

    def events(self, code: str) -> Any:
        return Entry.objects.filter(event=code)


class BulkTestCase(WithBulks, SyncedTestCase):
    """A bulk change in a test that is rolled back afterwards."""


def slices_of(seconds: float) -> Any:
    return mock.patch.object(running, "SLICE", seconds)
