"""New passwords for many jobs of a batch: a table first, stored when it is confirmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.utils import timezone

from purelymanage import crypto
from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.errors import Refused
from purelymanage.migrations import queue
from purelymanage.migrations.importing.passwords import Candidate, Matching, match
from purelymanage.migrations.job_states import SETTLED, with_state
from purelymanage.migrations.models import Batch, Job, PasswordTable, Run, Server
from purelymanage.migrations.models.jobs import JobQuerySet
from purelymanage.migrations.operations import logins
from purelymanage.migrations.operations.secrets import (
    seal_destination_secret,
    seal_secret,
)
from purelymanage.migrations.operations.servers import DIRECTION
from purelymanage.migrations.references import job_entry
from purelymanage.sheets import keeping
from purelymanage.sheets.reading import Sheet

TABLE_LIFE = timedelta(hours=24)
ONE_STEP = 1_000  # rows written at once
TOO_LATE = "This table was stored or discarded meanwhile."
NOTHING = "No row is for a mailbox that was chosen."
CHANGED = "What the rows are for has changed since you looked. Look at them again."
COLUMNS = [
    "source_secret",
    "destination_secret",
    "secret_expires_at",
    "secret_wiped_at",
    "login",
    "login_words",
    "login_tries",
    "login_due_at",
]


def fitting(jobs: JobQuerySet) -> QuerySet[Any]:
    """Return those that a new password may be of use for: what is not complete."""
    return with_state(jobs).exclude(state__in=SETTLED)


@transaction.atomic(durable=True)
def keep_table(
    *, batch: Batch, keys: Sequence[int], sheet: Sheet, actor: User
) -> PasswordTable:
    """Keep the cells of a file, sealed, until somebody has looked what they match."""
    if not keys:
        raise Refused("Choose at least one mailbox that is not complete.")
    table = PasswordTable(
        batch=batch,
        keys=list(keys),
        created_by=actor,
        file_name="".join(it for it in sheet.file_name if it.isprintable())[:200],
        directions={str(it.pk): _direction(it) for it in _servers(batch)},
    )
    table.sheet = crypto.seal(keeping.as_text(sheet), bound_to=table.sheet_place)
    table.save()
    return table


def open_sheet(table: PasswordTable) -> Sheet:
    return keeping.from_text(crypto.unseal(table.sheet, bound_to=table.sheet_place))


@transaction.atomic(durable=True)
def choose_columns(
    *, table: PasswordTable, columns: Mapping[int, str], actor: User
) -> None:
    held = _hold(table, actor)
    held.columns = {str(number): target for number, target in columns.items()}
    held.save(update_fields=["columns"])


@transaction.atomic(durable=True)
def discard_table(*, table: PasswordTable, actor: User) -> None:
    _hold(table, actor).delete()


def columns_of(table: PasswordTable) -> dict[int, str]:
    return {int(number): target for number, target in table.columns.items()}


def has_other_server(batch: Batch) -> bool:
    jobs = Job.objects.present().filter(batch=batch)
    return jobs.exclude(destination_server=None).exists()


def match_table(table: PasswordTable) -> Matching:
    """Return what the rows of a table are for right now."""
    lacks = Q(destination_secret="", destination_server__isnull=False)
    asked = _jobs(table).annotate(lacks=ExpressionWrapper(lacks, BooleanField()))
    columns = "pk", "source_user", "destination", "lacks"
    return _match(table, [Candidate(*it) for it in asked.values_list(*columns)])


@transaction.atomic(durable=True)
def store_passwords(*, table: PasswordTable, shown: str, actor: User) -> int:
    """Replace the passwords of the jobs that were shown, and let their logins be tried.

    What waits for its turn goes on with the new one. Returns how many jobs there were.
    """
    held = _hold(table, actor)
    if not actor.may(Right.MANAGE):
        raise Refused("Your role does not allow this.")
    _refuse_if_moved(held)
    rows = _jobs(held).select_for_update(of=("self",))
    jobs = {it.pk: it for it in rows.select_related("server", "destination_server")}
    found = _match(held, [_candidate(job) for job in jobs.values()])
    if shown != found.digest:
        raise Refused(CHANGED)
    if not found.ready:
        raise Refused(NOTHING)

    now = timezone.now()
    given = [(jobs[it.pk], line) for line in found.ready for it in line.jobs]
    waiting = Run.objects.queued().filter(job__in=[job.pk for job, _ in given])
    waits = set(waiting.values_list("job", flat=True))
    for job, line in given:
        seal_secret(job, line.password)
        if job.destination_server_id is not None and line.destination_password:
            seal_destination_secret(job, line.destination_password)
        # What waits tries it by itself.
        job.login = "" if job.pk in waits else Job.Login.WAITING
        job.login_due_at = None if job.pk in waits else now
        job.login_words, job.login_tries = "", 0
    changed = [job for job, _ in given]
    Job.objects.bulk_update(changed, COLUMNS, batch_size=ONE_STEP)
    waiting.update(not_before=None, trouble="", failure="", technical="")
    held.delete()
    logins.hand_on(held.batch.server_id)
    log.record_many(
        [job_entry(Event.SOURCE_PASSWORD_REPLACED, job, actor=actor) for job in changed]
    )
    if waits:
        queue.dispatch()
    return len(changed)


def wipe_old_tables() -> int:
    """Delete forgotten tables with their cells, and return how many."""
    before = timezone.now() - TABLE_LIFE
    return PasswordTable.objects.filter(created_at__lt=before).delete()[0]


def _hold(table: PasswordTable, actor: User) -> PasswordTable:
    mine = PasswordTable.objects.filter(pk=table.pk, created_by=actor)
    held = mine.select_for_update(of=("self",)).select_related("batch").first()
    if held is None:
        raise Refused(TOO_LATE)
    return held


def _jobs(table: PasswordTable) -> JobQuerySet:
    mine: JobQuerySet = Job.objects.visible_to(table.created_by).present()
    return mine.filter(batch=table.batch_id).order_by("number", "pk")


def _candidate(job: Job) -> Candidate:
    lacks = job.destination_server_id is not None and not job.destination_secret
    return Candidate(job.pk, job.source_user, job.destination, lacks)


def _match(table: PasswordTable, jobs: Sequence[Candidate]) -> Matching:
    running = Run.objects.running().filter(job__batch=table.batch_id)
    return match(
        open_sheet(table),
        columns_of(table),
        jobs=jobs,
        chosen=set(table.keys) & {job.pk for job in jobs},
        busy=set(running.values_list("job", flat=True)),
    )


def _servers(batch: Batch) -> list[Server]:
    jobs = Job.objects.present().filter(batch=batch)
    others = jobs.exclude(destination_server=None).values("destination_server")
    both = Server.objects.filter(pk=batch.server_id) | Server.objects.filter(
        pk__in=others
    )
    return list(both.order_by("pk"))


def _direction(server: Server) -> dict[str, Any]:
    return {name: getattr(server, name) for name in sorted(DIRECTION)}


def _refuse_if_moved(table: PasswordTable) -> None:
    """Lock the servers, which come before their jobs, and refuse if one has changed."""
    locked = Server.objects.select_for_update(no_key=True).order_by("pk")
    for server in locked.filter(pk__in=[int(it) for it in table.directions]):
        if server.removed_at is not None:
            raise Refused(f"{server.name} was removed meanwhile.")
        if _direction(server) != table.directions[str(server.pk)]:
            raise Refused(
                f"{server.name} was changed since the table was uploaded for it as it "
                "was. Upload it again."
            )
