"""The mailbox that a job is to create before the first copy into it.

Its password is sealed in the job before PurelyMail is asked and kept until the link
that shows it to the owner exists: whatever dies in between, it is not lost.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from purelymanage import crypto
from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.audit.models import Agent
from purelymanage.imap.errors import LoginRefused
from purelymanage.imap.login import check_login
from purelymanage.mailboxes.models import Creation, Mailbox
from purelymanage.mailboxes.operations import creating
from purelymanage.mailboxes.operations.app_passwords import imap_account
from purelymanage.mailboxes.operations.hand_overs import link_of, make_hand_over
from purelymanage.mailboxes.passwords import make_password
from purelymanage.migrations.models import Job
from purelymanage.migrations.operations.secrets import (
    kept,
    open_destination_secret,
    seal_destination_secret,
)


def is_missing(job: Job) -> bool:
    """Whether the job has to create its mailbox before anything can go into it."""
    if not job.creates_destination or job.destination_server_id is not None:
        return False
    return not Mailbox.objects.present().filter(address=job.destination).exists()


def is_begun(job: Job) -> bool:
    """Whether PurelyMail was asked for its mailbox already, or has made it by now."""
    asked = Creation.objects.asked().filter(address=job.destination)
    return asked.exists() or not is_missing(job)


def ensure_mailbox(*, job: Job) -> None:
    """Create the mailbox if need be, and make the link that its owner gets.

    Raises `NotCreated`, or what the mail server says where the password is in doubt.
    """
    if not job.creates_destination or job.hand_over_id is not None:
        return
    if is_missing(job):
        password = _intend(job)
        created = creating.create_mailbox(
            address=job.destination,
            password=password,
            wishes=creating.Wishes(),
            actor=Agent.PANEL,
        )
        is_known = created.is_known
    elif job.destination_secret:
        password, is_known = open_destination_secret(job), False
    else:
        # Somebody else was first, and their password is none of our business.
        return
    # What PurelyMail confirmed is not tried: it may take a moment to reach the mail
    # server, and a password that is refused there is forgotten.
    if is_known or _opens(job, password):
        mailbox = Mailbox.objects.present().get(address=job.destination)
        link = make_hand_over(mailbox=mailbox, password=password, actor=Agent.PANEL)
        job.hand_over = link.hand_over
    _forget_password(job)


def link_for(job: Job, user: User) -> str:
    """Return the link that the owner gets, for those who may give it to them."""
    if job.hand_over is None or not user.may(Right.MANAGE):
        return ""
    return link_of(job.hand_over)


def _opens(job: Job, password: str) -> bool:
    try:
        check_login(imap_account(job.destination, password))
    except LoginRefused:
        return False
    return True


@transaction.atomic(durable=True)
def _intend(job: Job) -> str:
    """Return the password to create the mailbox with, the same at each attempt."""
    row = Job.objects.select_for_update().get(pk=job.pk)
    if row.destination_secret:
        try:
            return open_destination_secret(row)
        except crypto.Unreadable:
            # Sealed with a key that is gone; nothing was created with it so far.
            row.destination_secret = ""
    password = make_password()
    seal_destination_secret(row, password)
    row.secret_expires_at = row.secret_expires_at or timezone.now() + kept()
    row.save(update_fields=["destination_secret", "secret_expires_at"])
    job.destination_secret = row.destination_secret
    return password


@transaction.atomic(durable=True)
def _forget_password(job: Job) -> None:
    """Keep the link instead; without one the password opened nothing."""
    Job.objects.filter(pk=job.pk).update(
        destination_secret="", hand_over=job.hand_over_id
    )
    job.destination_secret = ""
