"""Asking both sides of a job which folders they have, while somebody waits."""

from __future__ import annotations

from contextlib import suppress

from django.core.cache import cache
from django.db import transaction

from purelymanage import crypto
from purelymanage.accounts.models import User
from purelymanage.audit.events import Event
from purelymanage.errors import Refused
from purelymanage.imap.account import Account
from purelymanage.imap.errors import ImapError, LoginRefused
from purelymanage.imap.folders import FolderList
from purelymanage.imap.login import look_into
from purelymanage.mailboxes.operations import app_passwords, new_app_passwords
from purelymanage.mailboxes.operations.app_passwords import imap_account
from purelymanage.migrations.folder_choice import Folders
from purelymanage.migrations.logins import PATIENCE, SHORT_PATIENCE, advice
from purelymanage.migrations.models import Job
from purelymanage.migrations.operations.new_mailboxes import is_missing
from purelymanage.migrations.operations.secrets import (
    open_destination_secret,
    open_secret,
)
from purelymanage.migrations.references import record_job
from purelymanage.purelymail.errors import PurelymailError

# Long enough to choose in peace; folders seldom change meanwhile.
KEPT_FOR = 60 * 60
# A new app password may take a moment to reach the mail servers.
TRIES = 3


def known_folders(job: Job) -> Folders | None:
    """Return what was read lately, as no page asks a server to be drawn."""
    found = cache.get(_key(job))
    return found if isinstance(found, Folders) else None


def read_folders(*, job: Job, actor: User) -> Folders:
    """Read the folders of both sides; without the destination's it does as well.

    Raises Refused with what the source said.
    """
    account = job.server.account(job.source_user, _open_source(job, actor))
    try:
        source = look_into(account, timeout=PATIENCE)
    except ImapError as exc:
        raise Refused(
            f"The folders could not be read. {exc.message} {advice(exc)}"
        ) from exc
    found = Folders(
        source=source.folders,
        destination=_look_at_destination(job),
        gmail="X-GM-EXT-1" in source.capabilities,
    )
    keep_folders(job, found)
    return found


def keep_folders(job: Job, found: Folders) -> None:
    cache.set(_key(job), found, KEPT_FOR)


def _look_at_destination(job: Job) -> FolderList | None:
    with suppress(ImapError, PurelymailError, crypto.Unreadable):
        if job.destination_server is not None:
            password = open_destination_secret(job)
            account = job.destination_server.account(job.destination, password)
            return look_into(account, timeout=SHORT_PATIENCE).folders
        if not is_missing(job):
            return _look_into_mailbox(job.destination)
    return None


def _look_into_mailbox(address: str) -> FolderList | None:
    row = new_app_passwords.intend(
        address=address,
        name="PurelyManage look at folders",
        purpose="to read the names of its folders",
    )
    account = imap_account(address, new_app_passwords.mint(row=row))
    try:
        return _look_patiently(account)
    finally:
        row.refresh_from_db()
        app_passwords.revoke(row=row)


def _look_patiently(account: Account) -> FolderList | None:
    for _ in range(TRIES):
        with suppress(LoginRefused):
            return look_into(account, timeout=SHORT_PATIENCE).folders
    return None


@transaction.atomic(durable=True)
def _open_source(job: Job, actor: User) -> str:
    if job.needs_password:
        raise Refused(
            f"The password of {job.source_user} is not stored any more. Enter it again."
        )
    record_job(
        Event.SOURCE_PASSWORD_OPENED,
        job,
        actor=actor,
        purpose="choosing the folders of the copy",
    )
    return open_secret(job)


def _key(job: Job) -> str:
    return f"migrations.folders.1.{job.uuid}"
