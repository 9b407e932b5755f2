"""A small account with deletions in it, and a clock that can be moved."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from unittest import mock

from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit.models import Entry
from purelymanage.deletions import clock
from purelymanage.deletions.models import PendingDeletion
from purelymanage.deletions.operations import execution, requests
from purelymanage.purelymail import client
from tests.sandbox import SyncedTestCase, WithSandbox

BOX = "anna@example.org"
HOUR = timedelta(hours=1)


def ask(
    actor: User, *keys: str, kind: str = "mailbox", **wishes: object
) -> PendingDeletion:
    """Ask for deletions the way the form does, and return the first."""
    chosen = requests.subjects(kind, list(keys), actor)
    return requests.request_deletions(
        kind=kind,
        keys=list(keys),
        shown=requests.digest(requests.impacts_of(kind, chosen)),
        actor=actor,
        **wishes,  # type: ignore[arg-type]  # as they come from a test
    )[0]


class WithClock(WithSandbox):
    """Tests in which time passes at once."""

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(client, "PAUSES", ()))
        logging.disable(logging.ERROR)
        self.addCleanup(logging.disable, logging.NOTSET)
        self.now = timezone.now()
        self.enterContext(
            mock.patch("django.utils.timezone.now", side_effect=lambda: self.now)
        )
        # The database has the same clock, unless a test says otherwise.
        self.database_is_ahead = timedelta()
        of_database = mock.patch.object(clock, "of_database")
        self.enterContext(of_database).side_effect = lambda: (
            self.now + self.database_is_ahead
        )

    def wait(self, time: timedelta = timedelta(), **more: float) -> None:
        self.now += time + timedelta(**more)

    def run_until(self, hour: datetime) -> None:
        """Let the schedule do its work, each minute before the hour comes near."""
        while self.now < hour:
            is_far = hour - self.now > timedelta(minutes=30)
            self.wait(minutes=15 if is_far else 1)
            self.tick()

    def run_to_its_end(self, deletion: PendingDeletion) -> None:
        """Let the schedule work until nothing is to be done, at most for three hours."""
        for _ in range(36):
            self.wait(minutes=5)
            self.tick()
            if self.state(deletion) not in ("waiting", "deleting"):
                return

    def tick(self) -> None:
        execution.resolve_abandoned()
        execution.announce_due()
        execution.execute_due()

    def make_due(self, deletion: PendingDeletion) -> None:
        """Pretend that it has waited and was announced."""
        PendingDeletion.objects.filter(pk=deletion.pk).update(
            delete_after=self.now - timedelta(minutes=1), warned_at=self.now - HOUR
        )

    def is_remote(self, address: str = BOX) -> bool:
        return address in self.sandbox.account.state.users

    def state(self, deletion: PendingDeletion) -> str:
        deletion.refresh_from_db()
        return deletion.state

    def sentences(self) -> list[str]:
        found = Entry.objects.filter(event__startswith="deletion.").order_by("pk")
        return [str(entry) for entry in found]


class DeletionTestCase(WithClock, SyncedTestCase):
    """The cast, the sandbox, and a clock."""
