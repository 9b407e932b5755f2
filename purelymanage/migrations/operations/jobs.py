from __future__ import annotations

from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit.events import Event
from purelymanage.deletions.models import Kind
from purelymanage.deletions.pending import refuse_if_pending
from purelymanage.errors import Refused
from purelymanage.imap.errors import ImapError, LoginRefused
from purelymanage.imap.login import check_login
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.operations.app_passwords import imap_account
from purelymanage.migrations import queue
from purelymanage.migrations.destinations import refuse_unfit
from purelymanage.migrations.engines.base import SameMailbox, refuse_same
from purelymanage.migrations.logins import PATIENCE, advice, passed
from purelymanage.migrations.models import Job, Run, Server
from purelymanage.migrations.models.servers import EngineChoice
from purelymanage.migrations.operations.runs import add_run, wake
from purelymanage.migrations.operations.secrets import (
    seal_destination_secret,
    seal_secret,
    wipe_secret,
)
from purelymanage.migrations.operations.servers import note_trial, refuse_if_moved
from purelymanage.migrations.options import JobOptions
from purelymanage.migrations.references import record_job

LONGEST_WORDS = 300
PASSWORD_COLUMNS = [
    "source_secret",
    "destination_secret",
    "secret_expires_at",
    "secret_wiped_at",
    "login",
    "login_words",
    "login_tried_at",
]


class NotLetIn(Refused):
    """A mailbox did not open; `about_password` if only the login was wrong."""

    def __init__(self, problem: ImapError, *, at_destination: bool = False) -> None:
        super().__init__(f"{problem.message} {advice(problem)}")
        self.about_password = isinstance(problem, LoginRefused)
        self.at_destination = at_destination
        self.technical = problem.technical


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A mailbox of the account, perhaps to be created, or one of another server."""

    user: str
    creates: bool = False
    server: Server | None = None
    password: str = field(default="", repr=False)

    @property
    def domain(self) -> str:
        """Whose rights decide; a mailbox elsewhere belongs to no domain of ours."""
        return "" if self.server else self.user.rpartition("@")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    options: JobOptions = field(default_factory=JobOptions)
    engine: str = EngineChoice.AUTO


def create_job(
    *,
    server: Server,
    source_user: str,
    password: str,
    destination: Mailbox | Destination,
    actor: User,
    wishes: Wishes | None = None,
) -> Run:
    """Prepare a copy and queue its plan, if both sides let us in.

    The logins are tried before anything is stored, so that a wrong password is told at
    the form and not minutes later.
    """
    if isinstance(destination, Mailbox):
        destination = Destination(user=destination.address)
    wishes = wishes or Wishes()
    job = _try_job(server, source_user, password, destination, wishes, actor)
    return _store_and_plan(job, actor)


def prepare_job(
    *,
    server: Server,
    source_user: str,
    password: str,
    destination: Destination,
    actor: User,
    wishes: Wishes,
) -> Job:
    """Prepare a copy like `create_job`, but leave the plan until more was chosen."""
    job = _try_job(server, source_user, password, destination, wishes, actor)
    return _store_alone(job, actor)


@transaction.atomic(durable=True)
def change_job(*, job: Job, wishes: Wishes, actor: User, plans: bool) -> None:
    """Change what is copied and how, and queue a new plan if that is wanted."""
    job = (
        Job.objects.present()
        .select_for_update(of=("self",))
        .select_related("server", "destination_server")
        .get(pk=job.pk)
    )
    if Run.objects.open().filter(job=job).exists():
        raise Refused(
            f"{job} is waiting or running. Stop it first, or wait until it has ended."
        )
    old = Wishes(options=JobOptions.read(job.options), engine=job.engine)
    if wishes != old:
        job.options, job.engine = wishes.options.as_stored(), wishes.engine
        job.save(update_fields=["options", "engine"])
        record_job(
            Event.JOB_CHANGED,
            job,
            actor=actor,
            changes=f"from {_in_words(old)} to {_in_words(wishes)}",
        )
    if plans:
        add_run(job=job, dry_run=True, actor=actor)


def replace_password(
    *,
    job: Job,
    password: str,
    actor: User,
    dry_run: bool | None = None,
    destination_password: str = "",
) -> None:
    """Store another source password if it works, and queue a run if one is named.

    That of a destination on another server is replaced where one is given.
    """
    _try(job.server, job.source_user, password)
    server = job.destination_server
    if server is not None and destination_password:
        account = server.account(job.destination, destination_password)
        try:
            check_login(account, timeout=PATIENCE)
        except ImapError as exc:
            raise NotLetIn(exc, at_destination=True) from exc
    _store_password(job, password, destination_password, actor=actor, dry_run=dry_run)


def _try_job(
    server: Server,
    source_user: str,
    password: str,
    destination: Destination,
    wishes: Wishes,
    actor: User,
) -> Job:
    """Return the job, which is not saved yet, with both passwords sealed in it."""
    job = Job(
        server=server,
        source_user=source_user,
        destination=destination.user,
        destination_domain=destination.domain,
        destination_server=destination.server,
        creates_destination=destination.creates,
        options=wishes.options.as_stored(),
        engine=wishes.engine,
        created_by=actor,
    )
    # Looked at once more when the run is queued, but this spares a vain login.
    if Run.objects.open().filter(pair=job.pair).exists():
        raise Refused(f"{source_user} is being copied to {job.destination} already.")
    source = server.account(source_user, password)
    if destination.server is None:
        refuse_if_pending(Kind.MAILBOX, job.destination)
        there = imap_account(job.destination, "")
    else:
        there = destination.server.account(destination.user, destination.password)
        seal_destination_secret(job, destination.password)
    try:
        refuse_same(source, there)
    except SameMailbox as exc:
        raise Refused(exc.message) from exc
    _try(server, source_user, password)
    if destination.server is not None:
        try:
            check_login(there, timeout=PATIENCE)
        except ImapError as exc:
            raise NotLetIn(exc, at_destination=True) from exc
    seal_secret(job, password)
    return job


@transaction.atomic(durable=True)
def _store_and_plan(job: Job, actor: User) -> Run:
    _store(job, actor)
    return add_run(job=job, dry_run=True, actor=actor)


@transaction.atomic(durable=True)
def _store_alone(job: Job, actor: User) -> Job:
    refuse_unfit(job)
    _store(job, actor)
    return job


def _store(job: Job, actor: User) -> None:
    refuse_if_moved(job.server, job.destination_server)
    job.save()
    record_job(Event.JOB_CREATED, job, actor=actor)


def _in_words(wishes: Wishes) -> str:
    words = wishes.options.in_words() or ["everything"]
    if wishes.engine != EngineChoice.AUTO:
        words.append(f"by {EngineChoice(wishes.engine).label}")
    text = ", ".join(words)
    return text if len(text) <= LONGEST_WORDS else f"{text[:LONGEST_WORDS]}…"


@transaction.atomic(durable=True)
def _store_password(
    job: Job,
    password: str,
    destination_password: str,
    *,
    actor: User,
    dry_run: bool | None,
) -> None:
    into = job.destination_server if destination_password else None
    refuse_if_moved(job.server, into)
    job = (
        Job.objects.select_for_update(of=("self",))
        .select_related("server", "destination_server")
        .get(pk=job.pk)
    )
    if Run.objects.running().filter(job=job).exists():
        raise Refused(f"{job} is running. Stop it first, or wait until it has ended.")
    seal_secret(job, password)
    if job.destination_server_id is not None and destination_password:
        seal_destination_secret(job, destination_password)
    job.login, job.login_words = Job.Login.RIGHT, ""
    job.login_tried_at = timezone.now()
    job.save(update_fields=PASSWORD_COLUMNS)
    waits = wake(job=job)
    record_job(Event.SOURCE_PASSWORD_REPLACED, job, actor=actor)
    if waits:
        queue.dispatch()
    elif dry_run is not None:
        add_run(job=job, dry_run=dry_run, actor=actor)


@transaction.atomic(durable=True)
def remove_job(*, job: Job, actor: User) -> None:
    """Take a job out of the lists and erase its passwords; what it did stays known."""
    job = (
        Job.objects.select_for_update(of=("self",))
        .select_related("server", "destination_server")
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
    record_job(Event.JOB_REMOVED, job, actor=actor)
    wipe_secret(job=job, actor=actor)


def _try(server: Server, user: str, password: str) -> None:
    account = server.account(user, password)
    try:
        found = check_login(account, timeout=PATIENCE)
    except ImapError as exc:
        raise NotLetIn(exc) from exc
    if server.doubt:
        note_trial(server=server, trial=passed(account, found))
