"""From a table to a batch of jobs: a draft first, and jobs when it is confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from purelymanage import crypto
from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.log import Actor
from purelymanage.audit.models import Entry
from purelymanage.errors import Refused
from purelymanage.figures import thin
from purelymanage.mailboxes.bulk.drafts import account_for
from purelymanage.migrations.importing.columns import TARGETS
from purelymanage.migrations.importing.preview import (
    Preview,
    Surroundings,
    Verdict,
    preview,
)
from purelymanage.migrations.models import Batch, EngineChoice, Job, Run, Server
from purelymanage.migrations.operations import logins
from purelymanage.migrations.operations.secrets import (
    seal_destination_secret,
    seal_secret,
)
from purelymanage.migrations.options import JobOptions
from purelymanage.migrations.references import batch_entry, job_entry
from purelymanage.sheets import keeping
from purelymanage.sheets.columns import column_name
from purelymanage.sheets.reading import Sheet

DRAFT_LIFE = timedelta(hours=24)
LOCK = 0x51_07_1B  # any number that nobody else locks
MOST_FAULTS_KEPT = 500
ONE_STEP = 1_000  # rows written at once

NOT_ALLOWED = "Your role or your domains do not allow this."
ONLY_UNLIMITED = "Only people for all domains copy into other servers."
TOO_LATE = "This draft was confirmed or discarded meanwhile."
WIPED = "The file is not kept any more. Upload it again."
NOTHING = "There is nothing to do: no row is left that could be copied."
CHANGED = "What the rows would become has changed since you looked. Look at them again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What is meant for a whole batch."""

    name: str
    creates_missing: bool = False
    options: JobOptions = field(default_factory=JobOptions)
    engine: str = EngineChoice.AUTO
    priority: int = 0
    parallel_runs: int | None = None
    starts_at: datetime | None = None
    tells_owners: bool = False


@transaction.atomic(durable=True)
def draft_batch(
    *,
    name: str,
    server: Server,
    sheet: Sheet,
    actor: User,
    destination_server: Server | None = None,
) -> Batch:
    """Keep the cells of a file, sealed, until somebody said what its columns are."""
    _check(actor, destination_server)
    batch = Batch(
        name=name[:100],
        server=server,
        created_by=actor,
        file_name="".join(it for it in sheet.file_name if it.isprintable())[:200],
    )
    if destination_server is not None:
        batch.wishes = {"destination_server": destination_server.pk}
    batch.sheet = crypto.seal(keeping.as_text(sheet), bound_to=batch.sheet_place)
    batch.save()
    return batch


def open_sheet(batch: Batch) -> Sheet:
    """Return the cells of a file again, as long as it is a draft."""
    if not batch.sheet:
        raise Refused(WIPED)
    return keeping.from_text(crypto.unseal(batch.sheet, bound_to=batch.sheet_place))


@transaction.atomic(durable=True)
def map_columns(
    *, batch: Batch, columns: Mapping[int, str], domain: str, actor: User
) -> None:
    """Note which column is what, and the domain of names without one."""
    held = _hold(batch, actor)
    held.wishes |= {
        "columns": {str(number): target for number, target in columns.items()},
        "domain": domain,
    }
    held.save(update_fields=["wishes"])


@transaction.atomic(durable=True)
def choose_wishes(*, batch: Batch, wishes: Wishes, actor: User) -> None:
    """Keep what is meant for all rows, to show what would come of it."""
    held = _hold(batch, actor)
    _put(held, wishes)
    held.save()


@transaction.atomic(durable=True)
def discard_draft(*, batch: Batch, actor: User) -> None:
    mine = Batch.objects.drafts().filter(pk=batch.pk, created_by=actor)
    if not mine.delete()[0]:
        raise Refused(TOO_LATE)


def preview_batch(batch: Batch, wishes: Wishes | None = None) -> Preview:
    """Return what the rows of a draft would become right now."""
    creates_missing = bool(batch.wishes.get("creates_missing"))
    return preview_sheet(
        open_sheet(batch),
        columns_of(batch),
        server=batch.server,
        destination_server=destination_server_of(batch),
        domain=batch.wishes.get("domain", ""),
        creates_missing=wishes.creates_missing if wishes else creates_missing,
        person=batch.created_by,
    )


def preview_sheet(
    sheet: Sheet,
    columns: Mapping[int, str],
    *,
    server: Server,
    destination_server: Server | None,
    domain: str,
    creates_missing: bool,
    person: User,
) -> Preview:
    """Return what the rows of a table would become, without keeping it."""
    return preview(
        sheet,
        columns,
        Surroundings(
            server=server,
            person=person,
            account=account_for(person, by_name=True),
            destination_server=destination_server,
            domain=domain,
            creates_missing=creates_missing and destination_server is None,
            pairs=_pairs(),
        ),
    )


def columns_of(batch: Batch) -> dict[int, str]:
    """Return what was chosen, nothing before that."""
    columns = batch.wishes.get("columns", {})
    return {int(number): target for number, target in columns.items()}


def destination_server_of(batch: Batch) -> Server | None:
    pk = batch.wishes.get("destination_server")
    return None if pk is None else Server.objects.get(pk=pk)


@transaction.atomic(durable=True)
def confirm(
    *,
    batch: Batch,
    actor: Actor,
    wishes: Wishes | None = None,
    shown: str | None = None,
) -> Batch:
    """Make the jobs of a draft and let their logins be tried. The cells are erased.

    `shown` is the digest of what the person saw: something else is not begun.
    """
    held = _hold(batch, actor)
    if wishes is not None:
        _put(held, wishes)
    other = destination_server_of(held)
    _check(held.created_by, other)
    # Of two with the same mailboxes, the second has to see what the first has made.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    found = preview_batch(held)
    if shown is not None and shown != found.digest:
        raise Refused(CHANGED)
    if not found.ready:
        raise Refused(NOTHING)

    jobs = _jobs(held, found, other)
    faulty = [it for it in found.lines if it.verdict == Verdict.ERROR]
    held.wishes["left_out"] = len(faulty)
    labels = _labels(held, found)
    held.wishes["faults"] = [
        [it.number, it.faults_without_cells(labels)] for it in faulty[:MOST_FAULTS_KEPT]
    ]
    # A name that is in nobody's scope, as who is limited sees no other server's.
    held.domains = sorted({it.destination_domain for it in jobs})
    held.sheet, held.confirmed_at = "", timezone.now()
    held.save()
    Job.objects.bulk_create(jobs, batch_size=ONE_STEP)
    logins.hand_on(held.server_id)
    log.record_many(_entries(held, jobs, actor))
    return held


def wipe_old_drafts() -> int:
    """Delete forgotten drafts with the cells of their files, and return how many."""
    before = timezone.now() - DRAFT_LIFE
    return Batch.objects.drafts().filter(created_at__lt=before).delete()[0]


def _hold(batch: Batch, actor: Actor) -> Batch:
    """Lock a draft, which is its maker's, or of whoever sits at the machine."""
    drafts = Batch.objects.drafts().select_for_update(of=("self",))
    held = drafts.select_related("server", "created_by").filter(pk=batch.pk).first()
    if held is None or (isinstance(actor, User) and held.created_by_id != actor.pk):
        raise Refused(TOO_LATE)
    return held


def _check(person: User, destination_server: Server | None) -> None:
    if not person.may(Right.MANAGE):
        raise Refused(NOT_ALLOWED)
    if destination_server is not None and person.domain_scope is not None:
        raise Refused(ONLY_UNLIMITED)


def _put(batch: Batch, wishes: Wishes) -> None:
    batch.name = wishes.name[:100]
    batch.priority = wishes.priority
    batch.parallel_runs = wishes.parallel_runs
    batch.starts_at = wishes.starts_at
    batch.tells_owners = wishes.tells_owners
    batch.wishes |= {
        "creates_missing": wishes.creates_missing,
        "options": wishes.options.as_stored(),
        "engine": wishes.engine,
    }


def _labels(batch: Batch, found: Preview) -> dict[str, str]:
    """Return what columns are for, by their names in the file."""
    header = open_sheet(batch).header
    labels = {it.name: it.label for it in TARGETS}
    return {
        column_name(header, number): labels[target]
        for number, target in found.columns.items()
    }


def _pairs() -> frozenset[str]:
    """Return the pairs of what runs, waits, or has its login tried."""
    pairs = set(Run.objects.open().values_list("pair", flat=True))
    untried = (
        Job.objects.with_untried_login()
        .select_related("server", "destination_server")
        .only("source_user", "destination", "server__host", "destination_server__host")
    )
    return frozenset(pairs | {job.pair for job in untried})


def _jobs(batch: Batch, found: Preview, other: Server | None) -> list[Job]:
    now = timezone.now()
    jobs = []
    for line in found.ready:
        job = Job(
            batch=batch,
            number=line.number,
            server=batch.server,
            source_user=line.source,
            destination=line.destination,
            destination_domain="" if other else line.domain,
            destination_server=other,
            creates_destination=line.verdict == Verdict.NEW,
            options=batch.wishes.get("options", {}),
            engine=batch.wishes.get("engine", EngineChoice.AUTO),
            login=Job.Login.WAITING,
            login_due_at=now,
            created_by=batch.created_by,
            created_at=now,
        )
        seal_secret(job, line.password)
        if other is not None:
            seal_destination_secret(job, line.destination_password)
        jobs.append(job)
    return jobs


def _entries(batch: Batch, jobs: list[Job], actor: Actor) -> list[Entry]:
    noun = "1 copy" if len(jobs) == 1 else f"{thin(len(jobs))} copies"
    return [
        batch_entry(
            Event.BATCH_CONFIRMED,
            batch,
            actor=actor,
            copies=noun,
            server=batch.server.name,
        ),
        *(job_entry(Event.JOB_CREATED, job, actor=actor) for job in jobs),
    ]
