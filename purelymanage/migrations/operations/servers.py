from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.errors import Refused
from purelymanage.figures import in_bytes
from purelymanage.migrations import queue
from purelymanage.migrations.logins import Trial, try_account
from purelymanage.migrations.models import (
    Batch,
    Campaign,
    Job,
    Run,
    Server,
    Submission,
)
from purelymanage.migrations.models.campaigns import CampaignQuerySet
from purelymanage.migrations.operations.secrets import wipe_secret

# Where stored passwords are sent, and how well they are protected on the way.
DIRECTION = {"host", "port", "security", "verify_certificate"}
LONGEST_VALUE = 300
LIMITS_OF_A_DAY = {"bytes_a_day", "bytes_a_day_each"}


class Settings(TypedDict, total=False):
    """What may be said about a server; what is not said stays as it is."""

    name: str
    host: str
    port: int
    security: str
    verify_certificate: bool
    preset: str
    engine: str
    parallel_runs: int | None
    bytes_a_day: int | None
    bytes_a_day_each: int | None
    messages_a_second: float | None
    pause_from: time | None
    pause_until: time | None
    left_out_folders: list[str]


@dataclass(frozen=True, slots=True)
class Erased:
    """What was given for a server as it was, and is not kept for what it is now."""

    passwords: int = 0
    drafts: int = 0


@transaction.atomic(durable=True)
def create_server(
    *, actor: User, trial: Trial | None = None, **settings: Unpack[Settings]
) -> Server:
    """Add a server that mailboxes can be copied from, and note how a trial of it went."""
    server = Server(created_by=actor, **settings)
    if trial is not None:
        _note(server, trial)
    _save(server)
    log.record(
        Event.SERVER_CREATED,
        actor=actor,
        target=server.name,
        host=server.host,
        port=str(server.port),
    )
    return server


@transaction.atomic(durable=True)
def edit_server(
    *,
    server: Server,
    actor: User,
    trial: Trial | None = None,
    **settings: Unpack[Settings],
) -> Erased:
    """Change a server and return what was erased for it.

    Stored passwords were given for the server as it was, those of copies into it as
    well as those of copies from it: whoever changes where they go, or how well they
    are protected, must ask for them again.
    """
    new: dict[str, Any] = dict(settings)
    # In the order of whoever confirms a draft or launches: first these, then the server.
    drafts = list(_drafts(server).select_for_update())
    campaigns = list(_campaigns(server).select_for_update(no_key=True))
    server = Server.objects.select_for_update().get(pk=server.pk)
    changed = {key for key, value in new.items() if getattr(server, key) != value}
    if not changed:
        return Erased()
    moved = changed & DIRECTION
    # Whoever queues a run holds the row of its job: none comes after this look.
    jobs = Job.objects.filter(_uses(server)).order_by("pk")
    locked = list(jobs.select_for_update(of=("self",))) if moved else []
    if moved and Run.objects.open().filter(_uses(server, "job__")).exists():
        raise Refused(
            f"A copy from or into {server.name} is waiting or running. Stop it first, "
            "or wait until it has ended."
        )
    asking = [it.name for it in campaigns if it.is_open]
    if moved and asking:
        raise Refused(
            f"The campaign {asking[0]} asks people for their passwords at {server.name}. "
            "Close it first."
        )

    changes = ", ".join(
        f"{_named(key)} from {_shown(key, getattr(server, key))} "
        f"to {_shown(key, new[key])}"
        for key in new
        if key in changed
    )
    for key in changed:
        setattr(server, key, new[key])
    if moved:
        server.tested_at = server.test_passed = None
        server.test_sentence = ""
    if trial is not None:
        _note(server, trial)
    _save(server)
    # Rows first, the audit log last: nobody who holds the log may wait for a row.
    if changed & LIMITS_OF_A_DAY:
        _wake(server)
    if not moved:
        log.record(
            Event.SERVER_CHANGED, actor=actor, target=server.name, changes=changes
        )
        queue.dispatch()
        return Erased()

    Batch.objects.filter(pk__in=[it.pk for it in drafts]).update(sheet="")
    kept = Submission.objects.filter(participant__campaign__in=campaigns)
    handed_over = kept.exclude(secret="").delete()[0]
    if handed_over:
        changes += f", erasing {handed_over} passwords of campaigns"
    if drafts:
        changes += f", erasing what {len(drafts)} unfinished imports held"
    log.record(Event.SERVER_CHANGED, actor=actor, target=server.name, changes=changes)
    stored = [job for job in locked if job.source_secret or job.destination_secret]
    erased = sum(wipe_secret(job=job, actor=actor) for job in stored)
    return Erased(erased + handed_over, len(drafts))


def _wake(server: Server) -> None:
    """Let go on what waits for the next day: how much that may be is different now.

    What does not fit all the same is put off once more.
    """
    waiting = Run.objects.queued().filter(_uses(server, "job__"))
    rows = waiting.filter(trouble=Run.Trouble.BUDGET).order_by("pk")
    keys = [it.pk for it in rows.select_for_update(of=("self",)).only("pk")]
    Run.objects.filter(pk__in=keys).update(
        not_before=None, trouble="", failure="", technical=""
    )


def refuse_if_moved(*servers: Server | None) -> None:
    """Lock servers that passwords were tried with, and refuse if one changed since.

    Before the rows of jobs, as a server is locked before its jobs when it is edited.
    """
    tried = {server.pk: server for server in servers if server is not None}
    locked = Server.objects.select_for_update(no_key=True).order_by("pk")
    for now in locked.filter(pk__in=tried):
        then = tried[now.pk]
        if now.removed_at is not None:
            raise Refused(f"{now.name} was removed meanwhile. Add it again first.")
        if any(getattr(now, key) != getattr(then, key) for key in DIRECTION):
            raise Refused(
                f"{now.name} was changed while the password was tried with it as it "
                "was. Enter it once more."
            )


def _uses(server: Server, prefix: str = "") -> Q:
    """Copies from a server, and copies into it."""
    return Q(**{f"{prefix}server": server}) | Q(
        **{f"{prefix}destination_server": server}
    )


def _campaigns(server: Server) -> CampaignQuerySet:
    """Campaigns that may hold passwords for a server."""
    found: CampaignQuerySet = Campaign.objects.filter(server=server, purged_at=None)
    return found.order_by("pk")


def _drafts(server: Server) -> Any:
    """Drafts of imports that hold passwords for a server."""
    about = Q(server=server) | Q(wishes__destination_server=server.pk)
    return Batch.objects.drafts().filter(about).exclude(sheet="").order_by("pk")


def test_server(*, server: Server, user: str = "", password: str = "") -> Trial:
    """Try a server, with a login if a user is named, and note how it went."""
    trial = try_account(server.account(user, password))
    note_trial(server=server, trial=trial)
    return trial


def note_trial(*, server: Server, trial: Trial) -> None:
    _note(server, trial)
    server.save(update_fields=["tested_at", "test_passed", "test_sentence"])


def _note(server: Server, trial: Trial) -> None:
    server.tested_at = timezone.now()
    server.test_passed = trial.server_answers
    server.test_sentence = trial.about_server[:500]


def _save(server: Server) -> None:
    try:
        with transaction.atomic():
            server.save()
    except IntegrityError as exc:
        raise Refused(f"There is a server called {server.name} already.") from exc


def _named(key: str) -> str:
    return key.replace("_", " ")


def _shown(key: str, value: Any) -> str:
    """Write a setting the way people say it, for the audit log."""
    if value is None or value in ("", []):
        return "none"
    if key in LIMITS_OF_A_DAY:
        return in_bytes(value)
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, list):
        text = "; ".join(value)
        return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
    return str(value)
