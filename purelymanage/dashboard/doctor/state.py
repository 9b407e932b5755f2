"""What the database says of the panel, and how it itself is."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import timezone

from purelymanage import operating
from purelymanage.accounts.permissions import Role
from purelymanage.audit.models import ChainCheck
from purelymanage.dashboard import checked, facts
from purelymanage.dashboard.doctor.results import (
    Check,
    Result,
    attention,
    broken,
    good,
)

OLDEST_POSTGRESQL = 14
CHAIN_OLD = timedelta(days=2)
TIMEDATECTL = "/usr/bin/timedatectl"
# Of all connections that the database allows.
BUSY = 0.8


def checks() -> list[Check]:
    return [
        Check("database", _database, seconds=8),
        Check("panel", _panel, seconds=8),
        Check("keys of this database", checked.keys, seconds=20),
        Check("audit log", _audit, seconds=8),
        Check("owners", _owners, seconds=8),
        Check("clock", _clock),
    ]


def _database() -> Iterator[Result]:
    subject, found = "database", facts.vitals().database
    if not found.is_reachable:
        yield broken(
            subject,
            f"It does not answer: {_without_secrets(found.reason)}",
            "See whether PostgreSQL runs (systemctl status postgresql), and whether "
            f"{operating.where('DATABASE_URL')} leads to it.",
        )
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version_num')::int / 10000, "
            "current_setting('server_encoding'), "
            "current_setting('max_connections')::int, "
            "(SELECT count(*) FROM pg_stat_activity)"
        )
        version, encoding, most, used = cursor.fetchone()
    if version < OLDEST_POSTGRESQL:
        yield broken(
            subject,
            f"It is PostgreSQL {version}.",
            f"PurelyManage needs {OLDEST_POSTGRESQL} or newer.",
        )
    if encoding != "UTF8":
        yield broken(
            subject,
            f"It keeps text as {encoding}, which has not all letters.",
            "Make the database anew with the encoding UTF8.",
        )
    if used > BUSY * most:
        yield attention(
            subject,
            f"{used} of {most} connections are in use.",
            "Raise max_connections of PostgreSQL, or lower DATABASE_POOL.",
        )
    if not found.is_migrated:
        yield broken(
            subject, "Its tables are of another version.", operating.command("migrate")
        )
    else:
        yield good(subject, f"PostgreSQL {version} answers, and its tables are right.")


def _panel() -> Iterator[Result]:
    """Tell what `/healthz` and the health page tell."""
    vitals = facts.vitals()
    if not vitals.database.is_migrated:
        yield attention(
            "panel",
            "Nothing is known of it without its database.",
            "See what is said of the database.",
        )
        return
    for look, sentences in ((broken, vitals.problems), (attention, vitals.warnings)):
        for sentence in sentences:
            step = checked.next_step(sentence)
            yield look("panel", sentence, step or "The health page says more.")
    if vitals.is_well and not vitals.warnings:
        yield good("panel", "Workers, queue, syncs, mail and clock are well.")


def _audit() -> Iterator[Result]:
    subject, last = "audit log", ChainCheck.objects.latest_finished()
    if last is None or last.finished_at is None:
        yield attention(
            subject,
            "It was never checked.",
            "The workers do so once a day; now: " + operating.command("verify_audit"),
        )
    elif last.problem:
        yield broken(
            subject,
            f"Somebody has tampered with it: {last.problem}",
            "Compare it with a backup and with the checkpoints kept elsewhere.",
        )
    elif timezone.now() - last.finished_at > CHAIN_OLD:
        yield attention(
            subject,
            f"It was last checked on {last.finished_at:%d %B %Y}.",
            "The workers do so once a day: see whether they run. Now: "
            + operating.command("verify_audit"),
        )
    else:
        yield good(subject, f"{last}.")


def _owners() -> Iterator[Result]:
    people = get_user_model().objects.filter(is_active=True, role=Role.OWNER)
    count = people.count()
    if not count:
        yield broken(
            "owners",
            "Nobody owns this panel.",
            operating.command("create_owner ADDRESS"),
        )
    elif count == 1:
        yield attention(
            "owners",
            "There is only one owner, and nobody to help if that one cannot sign in.",
            "Invite a second one on the page People.",
        )
    else:
        yield good("owners", f"There are {count}.")


def _clock() -> Iterator[Result]:
    try:
        asked = subprocess.run(
            [TIMEDATECTL, "show", "--property=NTPSynchronized", "--value"],
            capture_output=True,
            text=True,
            check=False,
            timeout=4,
        )
        answer = asked.stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        answer = ""
    if answer == "no":
        yield attention(
            "clock",
            "The clock of this machine follows no time server.",
            "sudo timedatectl set-ntp true",
        )
    elif answer == "yes":
        yield good("clock", "The clock of this machine follows a time server.")
    else:
        yield good("clock", "This machine does not tell whom its clock follows.")


def _without_secrets(reason: str) -> str:
    """Keep the first line of what the driver says; it names host and user at most."""
    return reason.splitlines()[0] if reason else "it gave no reason."
