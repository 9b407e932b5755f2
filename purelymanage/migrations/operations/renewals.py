"""Passwords that owners hand over once more after their copy was made."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from purelymanage import crypto
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent
from purelymanage.errors import Refused
from purelymanage.migrations import queue
from purelymanage.migrations.models import Campaign, Job, Participant, Run, Submission
from purelymanage.migrations.models.participants import (
    UNVOUCHED,
    ParticipantQuerySet,
)
from purelymanage.migrations.operations.jobs import PASSWORD_COLUMNS
from purelymanage.migrations.operations.runs import add_run, wake
from purelymanage.migrations.operations.secrets import seal_secret
from purelymanage.migrations.operations.submissions import open_secret
from purelymanage.migrations.references import record_job


def left_behind() -> ParticipantQuerySet:
    """Return those whose new password has not reached their copy yet.

    Without those who signed in as somebody else than their copy does, until an
    administrator has agreed to that.
    """
    people: ParticipantQuerySet = Participant.objects.present().with_copy()
    right = Submission.objects.filter(state=Submission.State.RIGHT).exclude(secret="")
    is_same = Q(user__iexact=F("participant__job__source_user"))
    wanted = right.filter(~UNVOUCHED | is_same)
    return people.filter(pk__in=wanted.values("participant"))


def to_renew() -> ParticipantQuerySet:
    """Return those of them whose copy does not run, in any order.

    Where some cannot be taken, they do not stand before the others each time.
    """
    running = Run.objects.filter(
        job=OuterRef("job"), is_newest=True, state=Run.State.RUNNING
    )
    return left_behind().exclude(Exists(running)).order_by("?")


def renew(*, campaign: Campaign, participant: Participant) -> bool:
    """Give a copy the password that its owner handed over since, and let it go on.

    Part of a larger change, which holds the campaign and its server. One that runs is
    left alone until it has ended, and one that is complete needs none.
    """
    right = participant.submissions.filter(state=Submission.State.RIGHT)
    submission = right.exclude(secret="").select_for_update().first()
    job = (
        Job.objects.present()
        .select_for_update(of=("self",))
        .select_related("server", "destination_server")
        .filter(participant=participant)
        .first()
    )
    if submission is None or job is None:
        return False
    runs = Run.objects.filter(job=job, is_newest=True).defer("log")
    newest = runs.first()
    if newest is not None and newest.state == Run.State.RUNNING:
        return False
    done = newest is not None and newest.is_complete
    renewed = False if done else _replace(job, submission)
    submission.secret = ""
    submission.save(update_fields=["secret"])
    if not renewed:
        return False
    waits = wake(job=job)
    record_job(Event.SOURCE_PASSWORD_REPLACED, job, actor=Agent.STRANGER)
    if waits:
        queue.dispatch()
    elif newest is not None and newest.trouble == Run.Trouble.PASSWORD:
        _go_on(campaign, job, newest)
    return True


def _replace(job: Job, submission: Submission) -> bool:
    try:
        password = open_secret(submission)
    except crypto.Unreadable:
        return False
    user = submission.source_user
    others = Job.objects.present().filter(server=job.server, source_user__iexact=user)
    if others.exclude(pk=job.pk).exists():
        return False  # this mailbox has a copy of its own
    job.source_user = user
    seal_secret(job, password)
    job.login, job.login_words = Job.Login.RIGHT, ""
    job.login_tried_at = timezone.now()
    job.save(update_fields=["source_user", *PASSWORD_COLUMNS])
    Run.objects.queued().filter(job=job).update(pair=job.pair)
    return True


def _go_on(campaign: Campaign, job: Job, newest: Run) -> None:
    """Queue again what failed for want of a password."""
    assert campaign.launched_by is not None
    try:
        with transaction.atomic():
            add_run(job=job, dry_run=newest.dry_run, actor=campaign.launched_by)
    except Refused:
        return  # the list of copies says what stands against it
