"""The logins of imported jobs: who tries one, and what comes of it.

A row is claimed by a lease. Whoever dies leaves it to run out, and somebody else begins
anew; whoever is late finds that the row is not theirs any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django_q.tasks import async_task

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.models import Entry
from purelymanage.errors import Refused
from purelymanage.migrations import queue
from purelymanage.migrations.limits import servers_of
from purelymanage.migrations.models import Job, Run, Server, SignIn
from purelymanage.migrations.models.jobs import JobQuerySet
from purelymanage.migrations.models.servers import ServerQuerySet
from purelymanage.migrations.operations.runs import add_run
from purelymanage.migrations.references import batch_entry, job_entry, record_job

TASK = "purelymanage.migrations.login_tests.try_logins"
LEASE = timedelta(seconds=90)  # longer than both logins of a job may take
# How long to wait after each time that nobody answered.
PAUSES = [timedelta(seconds=it) for it in (30, 120, 600)]
MOST_TRIES = 8  # of one login, whose workers die of it
MOST_AT_ONCE = 4  # at one server
# Copies may fill a server for days; nobody should hear of a wrong password so late.
PATIENCE_WITH_COPIES = timedelta(minutes=2)

# Where nobody at all is let in, the rest is left alone: a server may lock out whoever
# comes with one wrong password after the other.
MOST_REFUSED = 10

NOT_STORED = "Its password is not stored any more. Enter it again."
HELD_BACK = (
    f"Not tried, as the first {MOST_REFUSED} of this batch were all refused and more of "
    "that may lock us out. Look at their passwords, then try again."
)
INTERRUPTED = "It was interrupted again and again. Try it once more."

Login = Job.Login


@dataclass(frozen=True, slots=True)
class Finding:
    """What the trial of a login came to, with a sentence unless it was right."""

    login: Job.Login
    words: str = ""
    retry: bool = False  # whether it may well be answered in a minute


def hand_on(server_id: int) -> None:
    """Let a worker try what is due at a server."""
    async_task(TASK, server_id, task_name=f"logins at server {server_id}")


def go_on() -> int:
    """Let workers try what is due where both servers have room; return at how many.

    Called by the clock, each second: a copy that has ended leaves its place to whoever
    comes first, and nobody else wakes those that found a server full.
    """
    servers = [
        server_id
        for server_id in due_servers()
        # Workers may be busy: nobody is handed on once more before they had a chance.
        if _has_room(server_id) and cache.add(f"logins:{server_id}", "handed on", 5)
    ]
    for server_id in servers:
        hand_on(server_id)
    return len(servers)


def _has_room(server_id: int) -> bool:
    now = timezone.now()
    due = Job.objects.with_due_login(now).filter(server=server_id)
    room = _room(server_id, due, now, Server.objects.order_by("pk"))
    full = [pk for pk, left in room.items() if left <= 0]
    return server_id not in full and due.exclude(destination_server__in=full).exists()


@transaction.atomic(durable=True)
def claim_logins(*, server_id: int, most: int) -> list[Job]:
    """Take logins to try, as many as both servers may be asked for at once.

    This opens the stored passwords, which is why it is written down here.
    """
    now = timezone.now()
    due = Job.objects.with_due_login(now).filter(server=server_id)
    # One at a time counts what is under way.
    locked = Server.objects.select_for_update(no_key=True).order_by("pk")
    room = _room(server_id, due, now, locked)
    if (free := min(most, room.get(server_id, 0))) <= 0:
        return []
    full = [pk for pk, left in room.items() if left <= 0]
    fitting = due.exclude(destination_server__in=full)
    rows = fitting.select_for_update(of=("self",), skip_locked=True)
    claimed: list[Job] = []
    entries = []
    for job in rows.select_related("server", "destination_server")[:free]:
        if any(room.get(pk, 0) <= 0 for pk in servers_of(job)):
            continue
        job.login_tries += 1
        if not job.source_secret or job.login_tries > MOST_TRIES:
            words = INTERRUPTED if job.source_secret else NOT_STORED
            _note(job, Login.UNKNOWN, words)
            entries.append(_not_right(job, words))
            continue
        job.login, job.login_due_at = Login.TRYING, now + LEASE
        job.save(update_fields=["login", "login_due_at", "login_tries"])
        entries.append(_opened(job))
        claimed.append(job)
        for pk in servers_of(job):
            room[pk] -= 1
    log.record_many(entries)
    return claimed


@transaction.atomic(durable=True)
def settle_login(*, job: Job, finding: Finding) -> bool:
    """Note what came of a trial; a job whose login is right goes on.

    Answers False where the row was not held any more.
    """
    held = (
        Job.objects.filter(pk=job.pk, login=Login.TRYING, login_due_at=job.login_due_at)
        .select_for_update(of=("self",))
        .select_related("server", "destination_server", "created_by", "batch")
        .first()
    )
    if held is None:
        return False
    if finding.retry and held.login_tries <= len(PAUSES):
        _put_off(held, finding)
    elif finding.login != Login.RIGHT:
        words = finding.words
        if finding.retry:
            words = f"Tried {held.login_tries} times. {words}"
        _note(held, finding.login, words)
        entries = [_not_right(held, words)]
        if finding.login == Login.WRONG:
            entries += _hold_back(held)
        log.record_many(entries)
    else:
        # Noted first, so that its plan may have the slot that the trial had.
        _note(held, Login.RIGHT)
        if words := _go_on(held):
            _note(held, Login.RIGHT, words)
    queue.dispatch()
    return True


@transaction.atomic(durable=True)
def try_again(*, job: Job, actor: User) -> None:
    """Let the login of an imported job be tried once more."""
    untried = Job.objects.present().filter(
        pk=job.pk, login__in=[Login.WRONG, Login.UNKNOWN]
    )
    held = untried.select_for_update(of=("self",)).first()
    if held is None:
        raise Refused(f"The login of {job.source_user} needs no other trial.")
    if not held.source_secret:
        raise Refused(NOT_STORED)
    held.login, held.login_words = Login.WAITING, ""
    held.login_tries, held.login_due_at = 0, timezone.now()
    held.save(update_fields=["login", "login_words", "login_tries", "login_due_at"])
    hand_on(held.server_id)
    record_job(Event.LOGIN_TRIED_AGAIN, held, actor=actor)


def due_servers() -> list[int]:
    """Return the servers with logins that are due and that nobody works on."""
    now = timezone.now()
    due = Job.objects.with_due_login(now).order_by("server")
    worked_on = Job.objects.with_login_under_way(now)
    return list(
        due.exclude(server__in=worked_on.values("server"))
        .values_list("server", flat=True)
        .distinct()
    )


def has_due(server_id: int) -> bool:
    return Job.objects.with_due_login(timezone.now()).filter(server=server_id).exists()


def _room(
    server_id: int, due: JobQuerySet, now: datetime, servers: ServerQuerySet
) -> dict[int, int]:
    """Return how many more logins each server that is needed may be asked for now.

    Its limit is for copies and trials together, but somebody who waits for minutes
    gets one trial beside the copies.
    """
    oldest = due.first()
    if oldest is None or oldest.login_due_at is None:
        return {}
    least = 1 if now - oldest.login_due_at > PATIENCE_WITH_COPIES else 0
    others = due.exclude(destination_server=None).order_by()
    keys = {server_id, *others.values_list("destination_server", flat=True).distinct()}
    room = {}
    for server in servers.filter(pk__in=keys):
        most = MOST_AT_ONCE
        if server.parallel_runs is not None:
            ends = Q(job__server=server) | Q(job__destination_server=server)
            copies = Run.objects.busy().filter(ends).count()
            owners = SignIn.objects.under_way(now).filter(server=server).count()
            most = min(most, server.parallel_runs - copies - owners)
        ends = Q(server=server) | Q(destination_server=server)
        trials = Job.objects.with_login_under_way(now).filter(ends).count()
        room[server.pk] = max(most, least) - trials
    return room


def _hold_back(job: Job) -> list[Entry]:
    """Leave the rest of a batch alone if its logins were all refused so far."""
    if job.batch is None:
        return []
    others = Job.objects.present().filter(batch=job.batch)
    refused = others.filter(login=Login.WRONG).count()
    if refused < MOST_REFUSED or others.filter(login=Login.RIGHT).exists():
        return []
    # What somebody holds is being tried or changed this moment.
    rows = others.filter(login=Login.WAITING).select_for_update(skip_locked=True)
    keys = list(rows.values_list("pk", flat=True))
    held_back = Job.objects.filter(pk__in=keys).update(
        login=Login.UNKNOWN, login_words=HELD_BACK, login_due_at=None
    )
    if not held_back:
        return []
    return [batch_entry(Event.BATCH_LOGINS_HELD_BACK, job.batch, count=str(held_back))]


def _put_off(job: Job, finding: Finding) -> None:
    due_at = timezone.now() + PAUSES[job.login_tries - 1]
    clock = date_format(timezone.localtime(due_at), "H:i")
    job.login, job.login_due_at = Login.WAITING, due_at
    job.login_words = f"{finding.words} Tried again at {clock}."[:500]
    job.login_tried_at = timezone.now()
    job.save(update_fields=["login", "login_due_at", "login_words", "login_tried_at"])


def _note(job: Job, login: Job.Login, words: str = "") -> None:
    job.login, job.login_words = login, words[:500]
    job.login_tried_at, job.login_due_at = timezone.now(), None
    job.save(
        update_fields=[
            "login",
            "login_words",
            "login_tried_at",
            "login_due_at",
            "login_tries",
        ]
    )


def _go_on(job: Job) -> str:
    """Queue what a job waits with for its login; if that cannot be, return why.

    That is a plan where nothing ran yet, and otherwise what has failed. What somebody
    has stopped, or what has ended well, is for people to begin again.
    """
    newest = job.runs.filter(is_newest=True).only("state", "dry_run").first()
    if newest is not None and newest.state != Run.State.FAILED:
        return ""
    person = job.created_by
    if job.removed_at:
        return ""
    if not person.may(Right.MANAGE) or not person.covers(job.destination_domain):
        return f"{person} may not do this any more. Somebody else can start its plan."
    try:
        with transaction.atomic():
            dry_run = newest is None or newest.dry_run
            add_run(job=job, dry_run=dry_run, actor=person)
    except Refused as exc:
        return str(exc)
    return ""


def _opened(job: Job) -> Entry:
    purpose = "a trial of its login before the copy"
    return job_entry(Event.SOURCE_PASSWORD_OPENED, job, purpose=purpose)


def _not_right(job: Job, reason: str) -> Entry:
    return job_entry(Event.LOGIN_NOT_RIGHT, job, reason=reason)
