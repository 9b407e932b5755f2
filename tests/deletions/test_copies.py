from __future__ import annotations

from purelymanage.errors import Refused
from purelymanage.mailboxes.models import Mailbox
from purelymanage.migrations.models import Job, Run
from purelymanage.migrations.operations.runs import queue_run
from tests.account import add_job, add_server
from tests.deletions.cases import DeletionTestCase, ask
from tests.proof import prove

ADDRESS = "box0@example.org"


class CopyTests(DeletionTestCase):
    def setUp(self) -> None:
        super().setUp()
        Mailbox.objects.create(address=ADDRESS, domain="example.org")
        self.job = add_job(add_server(self.olga))
        Job.objects.update(source_secret="sealed", secret_expires_at=self.now)
        self.run_ = queue_run(job=self.job, dry_run=True, actor=self.adam)
        self.client.force_login(self.adam)
        prove(self.client)

    def test_a_copy_into_it_is_shown_and_stopped(self) -> None:
        for url in (f"mailbox/{ADDRESS}", "domain/example.org"):
            r = self.client.get(f"/deletions/new/{url}/")
            self.assertContains(r, "1 copy into it")
        ask(self.adam, "example.org", kind="domain")
        self.run_.refresh_from_db()
        self.assertEqual(self.run_.state, Run.State.STOPPED)

    def test_no_copy_begins_into_it(self) -> None:
        ask(self.adam, ADDRESS)
        with self.assertRaisesMessage(Refused, "frozen"):
            queue_run(job=self.job, dry_run=True, actor=self.adam)
