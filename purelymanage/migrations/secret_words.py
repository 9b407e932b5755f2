"""What the page of a job says about the passwords that are stored for it."""

from __future__ import annotations

from django.utils import timezone
from django.utils.formats import date_format

from purelymanage.migrations.models import Job


def secret_words(job: Job) -> str:
    """Say until when they are kept, or since when they are not."""
    both = job.destination_server_id is not None
    if job.source_secret and job.secret_expires_at is not None:
        day = date_format(timezone.localtime(job.secret_expires_at), "j F Y")
        kept = "Both passwords are" if both else "The password is"
        return f"{kept} kept sealed until the copy is complete, at most until {day}."
    if job.secret_wiped_at is not None:
        day = date_format(timezone.localtime(job.secret_wiped_at), "j F Y")
        gone = "Both passwords were" if both else "The password was"
        return f"{gone} erased on {day}."
    return "No password is stored."
