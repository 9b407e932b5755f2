"""Making an app password for a run, and getting rid of it afterwards."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format

from purelymanage import crypto
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent
from purelymanage.imap.account import Account
from purelymanage.imap.errors import ImapError, LoginRefused
from purelymanage.imap.login import check_login
from purelymanage.migrations.models import AppPassword, Run
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import PurelymailError, Rejected

logger = logging.getLogger(__name__)

PURPOSE = "to copy a mailbox"
# Longer than the call that makes one may take.
MADE_WITHIN = timedelta(minutes=3)
MOST_AT_ONCE = 10


def mint(*, run: Run) -> str:
    """Make an app password for the destination of `run` and return it.

    Raises what the client raises. The row is there before the call, so that a crash
    leaves a trace of a password that may exist.
    """
    name = f"PurelyManage copy {date_format(timezone.localtime(), 'j F Y H:i')}"
    row = AppPassword.objects.create(
        run=run,
        attempt=run.attempt,
        address=run.job.destination,
        name=name,
        revoke_after=timezone.now() + MADE_WITHIN,
    )
    try:
        plain = get_client().create_app_password(row.address, name=name)
    except Rejected:
        row.delete()
        raise
    _note_made(row, plain)
    return plain


def revoke_of(*, run: Run) -> None:
    """Revoke what this attempt of `run` made."""
    for row in AppPassword.objects.filter(run=run, attempt=run.attempt):
        revoke(row=row)


def revoke_left_over() -> int:
    """Try again to revoke what earlier attempts could not; return how many are gone."""
    rows = AppPassword.objects.left_over(timezone.now()).order_by("revoke_after")
    return sum(revoke(row=row) for row in rows[:MOST_AT_ONCE])


def revoke(*, row: AppPassword) -> bool:
    """Delete an app password at PurelyMail, and believe it when it stopped working."""
    pause = timedelta(minutes=min(2**row.revoke_tries, 60))
    claimed = AppPassword.objects.filter(pk=row.pk, revoke_tries=row.revoke_tries)
    if not claimed.update(
        revoke_tries=row.revoke_tries + 1, revoke_after=timezone.now() + pause
    ):
        return False
    if not row.secret:
        _note_unknown(row)
        return False

    try:
        plain = crypto.unseal(row.secret, bound_to=row.secret_place)
    except crypto.Unreadable as exc:
        _note_left(row, str(exc))
        return False
    try:
        get_client().delete_app_password(row.address, plain)
    except Rejected as exc:
        # Perhaps because it is gone: the login below tells.
        reason = exc.message
    except PurelymailError as exc:
        _note_left(row, exc.message)
        return False
    else:
        reason = "PurelyMail said it was done, but it still works."

    try:
        check_login(destination_account(row.address, plain))
    except LoginRefused:
        _note_revoked(row)
        return True
    except ImapError as exc:
        reason = exc.message
    _note_left(row, reason)
    return False


def destination_account(address: str, password: str) -> Account:
    return Account(
        host=settings.PURELYMAIL_IMAP_HOST,
        port=settings.PURELYMAIL_IMAP_PORT,
        user=address,
        password=password,
        ca_file=settings.IMAP_CA_FILE,
    )


@transaction.atomic(durable=True)
def _note_made(row: AppPassword, plain: str) -> None:
    row.secret = crypto.seal(plain, bound_to=row.secret_place)
    row.revoke_after = timezone.now()
    row.save(update_fields=["secret", "revoke_after"])
    log.record(
        Event.APP_PASSWORD_CREATED,
        actor=Agent.PANEL,
        target=row.address,
        purpose=PURPOSE,
    )


@transaction.atomic(durable=True)
def _note_revoked(row: AppPassword) -> None:
    row.delete()
    log.record(
        Event.APP_PASSWORD_REVOKED,
        actor=Agent.PANEL,
        target=row.address,
        purpose=PURPOSE,
    )


@transaction.atomic(durable=True)
def _note_left(row: AppPassword, reason: str) -> None:
    """Say once that it is still there; trying goes on.

    Not after the first failure, as a server may remember a login for a moment.
    """
    logger.warning("An app password of %s is still there: %s", row.address, reason)
    if row.revoke_tries == 1:
        log.record(
            Event.APP_PASSWORD_LEFT,
            actor=Agent.PANEL,
            target=row.address,
            purpose=PURPOSE,
            reason=f"{reason} It is tried again.",
        )


@transaction.atomic(durable=True)
def _note_unknown(row: AppPassword) -> None:
    """Give up on one that nobody knows, as PurelyMail does not list them."""
    row.delete()
    log.record(
        Event.APP_PASSWORD_LEFT,
        actor=Agent.PANEL,
        target=row.address,
        purpose=PURPOSE,
        reason=(
            f"it is unknown whether PurelyMail made it. If the owner sees one called "
            f"“{row.name}” in the portal, it can be deleted there."
        ),
    )
