from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.deletions.models import Kind
from purelymanage.deletions.pending import refuse_if_pending
from purelymanage.errors import Refused
from purelymanage.imap.errors import ImapError, LoginRefused
from purelymanage.imap.login import check_login
from purelymanage.mailboxes.models import Mailbox
from purelymanage.migrations import queue
from purelymanage.migrations.logins import PATIENCE, advice, passed
from purelymanage.migrations.models import Job, Run, Server
from purelymanage.migrations.operations.runs import add_run, wake
from purelymanage.migrations.operations.secrets import seal_secret, wipe_secret
from purelymanage.migrations.operations.servers import note_trial

PASSWORD_COLUMNS = [
    "source_secret",
    "secret_expires_at",
    "secret_wiped_at",
    "login",
    "login_words",
    "login_tried_at",
]


class NotLetIn(Refused):
    """The source did not open; `about_password` if only the login was wrong."""

    def __init__(self, problem: ImapError) -> None:
        super().__init__(f"{problem.message} {advice(problem)}")
        self.about_password = isinstance(problem, LoginRefused)
        self.technical = problem.technical


def create_job(
    *,
    server: Server,
    source_user: str,
    password: str,
    destination: Mailbox,
    actor: User,
) -> Run:
    """Prepare a copy and queue its plan, if the source lets us in.

    The login is tried before anything is stored, so that a wrong password is told at
    the form and not minutes later.
    """
    job = Job(
        server=server,
        source_user=source_user,
        destination=destination.address,
        destination_domain=destination.domain,
        created_by=actor,
    )
    # Looked at once more when the run is queued, but this spares a vain login.
    if Run.objects.open().filter(pair=job.pair).exists():
        raise Refused(f"{source_user} is being copied to {destination} already.")
    refuse_if_pending(Kind.MAILBOX, destination.address)
    _try(server, source_user, password)
    return _store_job(job, password, actor)


def replace_password(
    *, job: Job, password: str, actor: User, dry_run: bool | None = None
) -> None:
    """Store another source password if it works, and queue a run if one is named."""
    _try(job.server, job.source_user, password)
    _store_password(job, password, actor=actor, dry_run=dry_run)


@transaction.atomic(durable=True)
def _store_job(job: Job, password: str, actor: User) -> Run:
    seal_secret(job, password)
    job.save()
    log.record(
        Event.JOB_CREATED, actor=actor, target=job.destination, source=job.source_user
    )
    return add_run(job=job, dry_run=True, actor=actor)


@transaction.atomic(durable=True)
def _store_password(
    job: Job, password: str, *, actor: User, dry_run: bool | None
) -> None:
    job = (
        Job.objects.select_for_update(of=("self",))
        .select_related("server")
        .get(pk=job.pk)
    )
    if Run.objects.running().filter(job=job).exists():
        raise Refused(f"{job} is running. Stop it first, or wait until it has ended.")
    seal_secret(job, password)
    job.login, job.login_words = Job.Login.RIGHT, ""
    job.login_tried_at = timezone.now()
    job.save(update_fields=PASSWORD_COLUMNS)
    waits = wake(job=job)
    log.record(
        Event.SOURCE_PASSWORD_REPLACED,
        actor=actor,
        target=job.destination,
        source=job.source_user,
    )
    if waits:
        queue.dispatch()
    elif dry_run is not None:
        add_run(job=job, dry_run=dry_run, actor=actor)


@transaction.atomic(durable=True)
def remove_job(*, job: Job, actor: User) -> None:
    """Take a job out of the lists and erase its passwords; what it did stays known."""
    job = (
        Job.objects.select_for_update(of=("self",))
        .select_related("server")
        .get(pk=job.pk)
    )
    if job.removed_at:
        return
    if Run.objects.open().filter(job=job).exists():
        raise Refused(
            f"{job} is waiting or running. Stop it first, or wait until it has ended."
        )
    job.removed_at = timezone.now()
    job.save(update_fields=["removed_at"])
    log.record(
        Event.JOB_REMOVED, actor=actor, target=job.destination, source=job.source_user
    )
    wipe_secret(job=job, actor=actor)


def _try(server: Server, user: str, password: str) -> None:
    account = server.account(user, password)
    try:
        found = check_login(account, timeout=PATIENCE)
    except ImapError as exc:
        raise NotLetIn(exc) from exc
    if server.doubt:
        note_trial(server=server, trial=passed(account, found))
