from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.errors import Refused
from purelymanage.migrations.logins import Trial, try_account
from purelymanage.migrations.models import Job, Run, Server
from purelymanage.migrations.operations.secrets import wipe_secret

# Where stored passwords are sent, and how well they are protected on the way.
DIRECTION = {"host", "port", "security", "verify_certificate"}


@transaction.atomic(durable=True)
def create_server(
    *,
    name: str,
    host: str,
    port: int,
    security: str,
    verify_certificate: bool,
    actor: User,
    trial: Trial | None = None,
) -> Server:
    """Add a server that mailboxes can be copied from, and note how a trial of it went."""
    server = Server(
        name=name,
        host=host,
        port=port,
        security=security,
        verify_certificate=verify_certificate,
        created_by=actor,
    )
    if trial is not None:
        _note(server, trial)
    _save(server)
    log.record(
        Event.SERVER_CREATED, actor=actor, target=name, host=host, port=str(port)
    )
    return server


@transaction.atomic(durable=True)
def edit_server(
    *,
    server: Server,
    name: str,
    host: str,
    port: int,
    security: str,
    verify_certificate: bool,
    actor: User,
    trial: Trial | None = None,
) -> int:
    """Change a server and return how many stored passwords were erased for it.

    They were given for the server as it was: whoever changes where they go, or how
    well they are protected, must ask for them again.
    """
    new = {
        "name": name,
        "host": host,
        "port": port,
        "security": security,
        "verify_certificate": verify_certificate,
    }
    server = Server.objects.select_for_update().get(pk=server.pk)
    changed = {key for key, value in new.items() if getattr(server, key) != value}
    if not changed:
        return 0
    moved = changed & DIRECTION
    if moved and Run.objects.open().filter(job__server=server).exists():
        raise Refused(
            f"A copy from {server.name} is waiting or running. Stop it first, or wait "
            "until it has ended."
        )

    changes = ", ".join(
        f"{key} from {getattr(server, key)} to {new[key]}".replace("_", " ")
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
    jobs = Job.objects.filter(server=server).exclude(source_secret="")
    # Rows first, the audit log last: nobody who holds the log may wait for a row.
    locked = list(jobs.select_for_update()) if moved else []
    log.record(Event.SERVER_CHANGED, actor=actor, target=server.name, changes=changes)
    return sum(wipe_secret(job=job, actor=actor) for job in locked)


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
    server.test_passed = trial.passed
    server.test_sentence = trial.about_server[:500]


def _save(server: Server) -> None:
    try:
        with transaction.atomic():
            server.save()
    except IntegrityError as exc:
        raise Refused(f"There is a server called {server.name} already.") from exc
