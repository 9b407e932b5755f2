"""Several people and several workers at the same moment, and one that is killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.domains.models import Domain
from purelymanage.errors import Refused
from purelymanage.mailboxes.models import Mailbox
from purelymanage.migrations.login_tests import try_logins
from purelymanage.migrations.models import Batch, Job, Run, Server
from purelymanage.migrations.operations import batches, logins
from purelymanage.migrations.operations.secrets import seal_secret
from purelymanage.purelymail.sandbox.demo_mail import password_of
from purelymanage.sheets.reading import read
from tests.migrations.cases import ADDRESS, SMALL, WithMail, make_mailboxes
from tests.migrations.importing.cases import MAILBOXES
from tests.migrations.worker import ROOT, wait_for

TABLE = b"from,password,to\n" + b"\n".join(
    f"{number}@old.example,secret,{address}".encode()
    for number, address in enumerate(MAILBOXES)
)


def at_once(*deeds: Callable[[], object]) -> list[str]:
    """Do several things in threads of their own; return how each was refused."""
    start = Barrier(len(deeds))

    def do(deed: Callable[[], object]) -> str:
        start.wait()
        try:
            deed()
        except Refused as exc:
            return str(exc)
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(do, deeds))


class ConfirmAtOnceTests(TransactionTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.adam = User.objects.create_user("adam@example.org", None, role=Role.ADMIN)
        self.server = Server.objects.create(
            name="Old", host="127.0.0.1", port=9, created_by=self.adam
        )
        for address in MAILBOXES:
            domain = address.rpartition("@")[2]
            Domain.objects.get_or_create(name=domain)
            Mailbox.objects.create(address=address, domain=domain)

    def draft(self) -> Batch:
        batch = batches.draft_batch(
            name="Wave", server=self.server, sheet=read(TABLE), actor=self.adam
        )
        columns = {0: "address", 1: "password", 2: "destination"}
        batches.map_columns(batch=batch, columns=columns, domain="", actor=self.adam)
        batch.refresh_from_db()
        return batch

    def confirm(self, batch: Batch) -> Callable[[], object]:
        shown = batches.preview_batch(batch).digest
        return lambda: batches.confirm(batch=batch, shown=shown, actor=self.adam)

    def test_a_draft_is_confirmed_once(self) -> None:
        batch = self.draft()
        said = at_once(self.confirm(batch), self.confirm(batch))
        self.assertEqual(sorted(said), ["", batches.TOO_LATE])
        self.assertEqual(Job.objects.count(), 3)

    def test_the_same_mailboxes_are_copied_once(self) -> None:
        said = at_once(self.confirm(self.draft()), self.confirm(self.draft()))
        self.assertEqual(sorted(said), ["", batches.CHANGED])
        self.assertEqual(Job.objects.count(), 3)

    def test_workers_keep_to_the_limit_together(self) -> None:
        batches.confirm(batch=self.draft(), actor=self.adam)
        Server.objects.update(parallel_runs=2)
        pk = self.server.pk
        at_once(*[lambda: logins.claim_logins(server_id=pk, most=4)] * 4)
        self.assertEqual(Job.objects.filter(login=Job.Login.TRYING).count(), 2)


@pytest.mark.slow
class KilledTests(WithMail, TransactionTestCase):
    def test_the_logins_of_a_killed_worker_are_tried_by_the_next(self) -> None:
        adam = User.objects.create_user("adam@example.org", None, role=Role.ADMIN)
        silent = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        host, port = silent.getsockname()
        server = Server.objects.create(
            name="Old", host=host, port=port, created_by=adam
        )
        make_mailboxes()
        job = Job(
            server=server,
            source_user=SMALL,
            destination=ADDRESS,
            destination_domain=ADDRESS.rpartition("@")[2],
            login=Job.Login.WAITING,
            login_due_at=timezone.now(),
            created_by=adam,
        )
        seal_secret(job, password_of(SMALL))
        job.save()

        worker = self.start_worker(server)
        trying = Job.objects.filter(login=Job.Login.TRYING)
        wait_for(trying.exists, within=30)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        self.assertEqual(logins.due_servers(), [])

        place, _, number = self.sandbox.source_imap.rpartition(":")
        Server.objects.update(host=place, port=int(number))
        over = timezone.now() - timedelta(seconds=1)
        self.assertEqual(Job.objects.update(login_due_at=over), 1)
        self.assertEqual(logins.due_servers(), [server.pk])
        try_logins(server.pk)
        job.refresh_from_db()
        self.assertEqual((job.login, job.login_tries), (Job.Login.RIGHT, 2))
        self.assertEqual(Run.objects.filter(job=job).count(), 1)

    def start_worker(self, server: Server) -> subprocess.Popen[bytes]:
        url = urlsplit(settings.DATABASE_URL)
        name = connection.settings_dict["NAME"]
        code = (
            "from purelymanage.migrations.login_tests import try_logins; "
            f"try_logins({server.pk})"
        )
        return subprocess.Popen(
            [sys.executable, "manage.py", "shell", "-v", "0", "-c", code],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "ENV_FILE": os.devnull,
                "DATABASE_URL": url._replace(path=f"/{name}").geturl(),
                "SECRET_KEY": settings.SECRET_KEY,
                "ENCRYPTION_KEYS": settings.ENCRYPTION_KEYS,
                "AUDIT_KEY": settings.AUDIT_KEY,
            },
        )
