"""How a run enters the mailbox it copies into."""

from __future__ import annotations

import time

from purelymanage import crypto
from purelymanage.deletions.models import Kind
from purelymanage.deletions.pending import refuse_if_pending
from purelymanage.domains.models import Domain
from purelymanage.errors import Refused
from purelymanage.imap.account import Account
from purelymanage.imap.errors import ImapError, LoginRefused
from purelymanage.imap.login import check_login
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.operations.app_passwords import imap_account
from purelymanage.mailboxes.operations.creating import NotCreated, NotKnown
from purelymanage.migrations.models import Job, Run
from purelymanage.migrations.operations import app_passwords, new_mailboxes
from purelymanage.migrations.operations.secrets import open_destination_secret
from purelymanage.purelymail.errors import PurelymailError, Rejected

# A new app password may take a moment to reach the mail servers.
KNOWN_AFTER = (0.5, 1, 2, 4, 8)


class NotOpen(Exception):
    """The destination cannot be entered; `reason` is a sentence for the person."""

    def __init__(
        self,
        reason: str,
        *,
        trouble: Run.Trouble = Run.Trouble.DESTINATION,
        technical: str = "",
        retry: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.trouble = trouble
        self.technical = technical
        self.retry = retry


def refuse_unfit(job: Job) -> None:
    """Raise Refused if nothing can be copied into the destination of a job any more."""
    for server in (job.server, job.destination_server):
        if server is not None and server.removed_at is not None:
            raise Refused(
                f"The server {server} was removed. Add it again to copy more."
            )
    if job.destination_server is not None:
        if not job.destination_secret:
            raise Refused(
                f"The password of {job.destination} is not stored any more. Enter it "
                "again."
            )
        return
    if not Mailbox.objects.present().filter(address=job.destination).exists():
        if not job.creates_destination:
            raise Refused(f"There is no mailbox {job.destination} in this account.")
        if not Domain.objects.present().filter(name=job.destination_domain).exists():
            raise Refused(f"{job.destination_domain} is not a domain of this account.")
    refuse_if_pending(Kind.MAILBOX, job.destination)


def open_destination(run: Run) -> Account | None:
    """Return how `run` enters its destination, or None where a plan finds none yet.

    For a mailbox of the account an app password is made, the mailbox itself before it
    where the job is to create it. Raises NotOpen.
    """
    job = run.job
    if job.destination_server is not None:
        return _of_other_server(job)
    try:
        if not run.dry_run:
            new_mailboxes.ensure_mailbox(job=job)
        elif new_mailboxes.is_missing(job):
            return None
    except NotCreated as exc:
        unsure = exc.is_outage or isinstance(exc, NotKnown)
        # Another copy may go into the same new mailbox.
        unsure = unsure or new_mailboxes.is_begun(job)
        raise NotOpen(str(exc), retry=unsure) from exc
    except ImapError as exc:
        raise NotOpen(exc.message, technical=exc.technical, retry=True) from exc
    return _of_account(run)


def _of_other_server(job: Job) -> Account:
    assert job.destination_server is not None
    try:
        password = open_destination_secret(job)
    except crypto.Unreadable as exc:
        raise NotOpen(
            f"The password of {job.destination} is not stored any more.",
            trouble=Run.Trouble.PASSWORD,
            technical=str(exc),
        ) from exc
    account = job.destination_server.account(job.destination, password)
    try:
        check_login(account)
    except LoginRefused as exc:
        raise NotOpen(
            exc.message, trouble=Run.Trouble.PASSWORD, technical=exc.technical
        ) from exc
    except ImapError as exc:
        raise NotOpen(exc.message, technical=exc.technical, retry=exc.retry) from exc
    return account


def _of_account(run: Run) -> Account:
    """Make an app password for the destination, and wait until it works."""
    address = run.job.destination
    try:
        account = imap_account(address, app_passwords.mint(run=run))
    except PurelymailError as exc:
        refused = isinstance(exc, Rejected)
        raise NotOpen(
            f"No app password for {address}: {exc.message}",
            technical=exc.code if isinstance(exc, Rejected) else "",
            retry=not refused,
        ) from exc
    try:
        for pause in KNOWN_AFTER:
            try:
                check_login(account)
            except LoginRefused:
                time.sleep(pause)
            else:
                return account
        check_login(account)
    except ImapError as exc:
        # The password is right, PurelyMail made it a moment ago.
        retry = exc.retry or isinstance(exc, LoginRefused)
        raise NotOpen(exc.message, technical=exc.technical, retry=retry) from exc
    return account
