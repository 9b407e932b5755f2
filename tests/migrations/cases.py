"""What the tests of copies have in common: both providers, and a job between them."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar
from unittest import mock

from django.test import SimpleTestCase, override_settings
from django.utils import timezone
from django_q.models import OrmQ

from purelymanage.accounts.models import User
from purelymanage.audit.models import Entry
from purelymanage.mailboxes.models import Mailbox
from purelymanage.migrations import tasks
from purelymanage.migrations.models import Run, Server
from purelymanage.migrations.operations import jobs, runs
from purelymanage.purelymail import budget
from purelymanage.purelymail.sandbox import demo_mail
from purelymanage.purelymail.sandbox.demo_mail import password_of
from purelymanage.purelymail.sandbox.mail_store import NewFolder
from purelymanage.purelymail.sandbox.server import Sandbox
from tests.cast import CastTestCase

ADDRESS = "orders@shop.example"
OTHER_ADDRESS = "anna@example.org"
# The smallest mailbox at the old provider: 40 messages in two folders.
SMALL = "info@old-provider.example"
TASK = "purelymanage.migrations.tasks.run_job"


make_mail = demo_mail.folders_of


@cache
def mail_of(user: str) -> list[NewFolder]:
    """Make the mail of a demo mailbox once: it is the same each time."""
    return list(make_mail(user))


class WithMail(SimpleTestCase):
    """Runs the API and both IMAP servers of the stand-in, fresh for each test."""

    sandbox: ClassVar[Sandbox]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.enterClassContext(mock.patch.object(demo_mail, "folders_of", mail_of))
        cls.sandbox = cls.enterClassContext(Sandbox(dns=False))
        host, _, port = cls.sandbox.destination_imap.rpartition(":")
        cls.enterClassContext(
            override_settings(
                PURELYMAIL_API_URL=cls.sandbox.api_url,
                PURELYMAIL_API_TOKEN=cls.sandbox.api_token,
                PURELYMAIL_IMAP_HOST=host,
                PURELYMAIL_IMAP_PORT=int(port),
                IMAP_CA_FILE=cls.sandbox.ca_file,
            )
        )
        cls.enterClassContext(mock.patch.object(budget, "SECONDS_A_CALL", 0.0))

    def setUp(self) -> None:
        super().setUp()
        self.sandbox.reset()

    def fault(self, kind: str, operation: str = "*", **details: Any) -> None:
        """Let the next call of `operation` go wrong; `times=None` is every call."""
        self.sandbox.faults.add(kind, operation, **details)

    def app_passwords(self, address: str) -> int:
        """How many app passwords PurelyMail knows for a mailbox."""
        state = self.sandbox.account.state
        return len(state.users[address].app_passwords)


def make_server(sandbox: Sandbox, actor: User) -> Server:
    host, _, port = sandbox.source_imap.rpartition(":")
    return Server.objects.create(
        name="Old provider", host=host, port=int(port), created_by=actor
    )


def make_mailboxes() -> None:
    for address in (ADDRESS, OTHER_ADDRESS):
        domain = address.rpartition("@")[2]
        Mailbox.objects.create(address=address, domain=domain)


class MigrationTestCase(WithMail, CastTestCase):
    """A test with the cast, two providers, a server and two mailboxes."""

    server: Server

    def setUp(self) -> None:
        super().setUp()
        self.server = make_server(self.sandbox, self.olga)
        make_mailboxes()

    def new_run(
        self, source: str = SMALL, destination: str = ADDRESS, *, dry_run: bool = True
    ) -> Run:
        """Create a job; its first run is a plan, unless that is skipped."""
        run = jobs.create_job(
            server=self.server,
            source_user=source,
            password=password_of(source),
            destination=Mailbox.objects.get(address=destination),
            actor=self.adam,
        )
        if not dry_run:
            runs.stop_run(run=run, actor=self.adam)
            run = runs.queue_run(job=run.job, dry_run=False, actor=self.adam)
        return run

    def carry_out(self, run: Run) -> Run:
        tasks.run_job(run.pk)
        run.refresh_from_db()
        return run

    def carry_out_again(self, run: Run) -> Run:
        """As if the time had passed for which it was put off."""
        now = timezone.now()
        Run.objects.filter(pk=run.pk).update(not_before=None, handed_at=now)
        return self.carry_out(run)

    def queued(self) -> list[int]:
        """The runs that django-q was told about, the oldest first."""
        rows = OrmQ.objects.filter(key="migrations").order_by("pk")
        return [row.args()[0] for row in rows if row.func() == TASK]

    def events(self) -> list[str]:
        return list(Entry.objects.order_by("pk").values_list("event", flat=True))
