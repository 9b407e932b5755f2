"""Makes the panel's database ready: run by the quickstart in a process of its own.

It reads an `Order` as JSON, and prints `step …` when it begins one, `note …` for what
the person at the terminal should know, and `unread …` with the reason where the account
could not be read and the panel is therefore empty.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import TypedDict

import django

from purelymanage.environment import BASE_DIR
from purelymanage.quickstart.account import KIND, SANDBOX

CHANGED = "password-changed"


class Order(TypedDict):
    email: str
    password: str
    # Give this password even to an owner who has one.
    reset_password: bool


def main() -> None:
    order: Order = json.loads(sys.stdin.read())
    django.setup()
    from django.core.management import call_command

    _say("step", "Database tables")
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable")
    _prove_keys()

    _say("step", "Owner")
    _ensure_owner(order)

    _say("step", "Styles and scripts")
    _collect_static()

    _ask_for_no_setup()
    if _is_empty():
        _say("step", "First look at the account")
        _sync_now()
    else:
        _sync_soon()


def _prove_keys() -> None:
    """End here where `var/env` has lost the keys that the database was written with."""
    from purelymanage.audit import key_proofs

    key_proofs.prove_or_exit()


def _ensure_owner(order: Order) -> None:
    """Make the owner unless there is one."""
    from purelymanage.accounts.models import User
    from purelymanage.accounts.operations.people import create_owner
    from purelymanage.audit.models import Agent

    user = User.objects.filter(email__iexact=order["email"]).first()
    if user is None or order["reset_password"]:
        create_owner(
            email=order["email"], password=order["password"], actor=Agent.OPERATOR
        )
    elif not user.check_password(order["password"]):
        _say("note", CHANGED)


def _collect_static() -> None:
    """Collect the static files again if any has changed since the last time."""
    from django.conf import settings
    from django.core.management import call_command

    digest = hashlib.sha256()
    lock = BASE_DIR / "deploy" / "requirements-quickstart.lock"
    sources = [p for folder in settings.STATICFILES_DIRS for p in folder.rglob("*")]
    for path in sorted([lock, *sources]):
        stat = path.stat()
        digest.update(f"{path} {stat.st_mtime_ns} {stat.st_size}\n".encode())

    stamp = Path(settings.STATIC_ROOT) / ".collected"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == digest.hexdigest():
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp.write_text(digest.hexdigest(), encoding="utf-8")


def _ask_for_no_setup() -> None:
    """Count the panel of the demo account as set up: there is nothing to prove."""
    from purelymanage.audit.models import Agent
    from purelymanage.dashboard.setup.operations import finish

    if os.environ.get(KIND) == SANDBOX:
        finish(actor=Agent.OPERATOR)


def _is_empty() -> bool:
    """Whether the account was never read."""
    from purelymanage.domains.models import SyncRun

    return SyncRun.objects.freshness().synced_at is None


def _sync_now() -> None:
    from purelymanage.audit.models import Agent
    from purelymanage.domains.sync import sync
    from purelymanage.errors import Refused

    try:
        run = sync(actor=Agent.OPERATOR)
    except Refused:
        # One that was killed: its end is noticed after some minutes.
        _say("unread", "A sync was interrupted.")
        return
    if run.state == run.State.FAILED:
        # The panel is of use all the same: it shows the reason and tries again.
        _say("unread", run.reason)


def _sync_soon() -> None:
    from django_q.tasks import async_task

    from purelymanage.schedules import SCHEDULES

    async_task(SCHEDULES["sync"][0])


def _say(kind: str, text: str) -> None:
    sys.stdout.write(f"{kind} {' '.join(text.split())}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "purelymanage.settings")
    main()
