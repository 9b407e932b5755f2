"""The app password by which an attempt of a run enters its destination."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format

from purelymanage.mailboxes.models import AppPassword
from purelymanage.mailboxes.operations import app_passwords, new_app_passwords
from purelymanage.migrations.models import Run, RunPassword

PURPOSE = "to copy a mailbox"


def mint(*, run: Run) -> str:
    """Make an app password for the destination of `run` and return it.

    Raises what the client raises.
    """
    return new_app_passwords.mint(row=_intend(run))


def revoke_of(*, run: Run) -> None:
    """Revoke what this attempt of `run` made; a sweep tries again where it fails."""
    made = RunPassword.objects.filter(run=run, attempt=run.attempt)
    for row in AppPassword.objects.filter(pk__in=made.values("app_password")):
        app_passwords.revoke(row=row)


@transaction.atomic(durable=True)
def _intend(run: Run) -> AppPassword:
    row = new_app_passwords.intend(
        address=run.job.destination,
        name=f"PurelyManage copy {date_format(timezone.localtime(), 'j F Y H:i')}",
        purpose=PURPOSE,
    )
    RunPassword.objects.create(run=run, attempt=run.attempt, app_password=row)
    return row
