from __future__ import annotations

import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from purelymanage.accounts.models.invitations import hash_token
from purelymanage.audit.models import OutgoingMail
from purelymanage.migrations.models.campaigns import Campaign
from purelymanage.migrations.models.jobs import Job
from purelymanage.sealed import SealedTextField

# A copy that somebody removed counts as none.
HAS_COPY = models.Q(job__isnull=False, job__removed_at=None)


class ParticipantQuerySet(models.QuerySet["Participant"]):
    def present(self) -> Self:
        return self.filter(removed_at=None)

    def with_copy(self) -> Self:
        return self.filter(HAS_COPY)

    def without_copy(self) -> Self:
        return self.exclude(HAS_COPY)

    def of_token(self, token: str) -> Participant | None:
        found = self.select_related("campaign__server", "job")
        return found.filter(token_hash=hash_token(token)).first()

    def with_due_mail(self, at: datetime) -> Self:
        """Those whom an invitation or a reminder is to be sent to, oldest first."""
        due = self.present().filter(mail_due_at__lte=at)
        return due.order_by("mail_due_at", "pk")


class Participant(models.Model):
    """An old mailbox that a campaign is about, invited or come by the shared link."""

    class Mail(models.TextChoices):
        INVITATION = "invitation", "Invitation"
        REMINDER = "reminder", "Reminder"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="participants"
    )
    address = models.EmailField()  # of the old mailbox, in small letters
    name = models.CharField(max_length=100, blank=True)
    # Where the rule does not say it, or somebody wants it otherwise.
    destination = models.CharField(max_length=254, blank=True)
    # Whether somebody put it on the list; others came by the shared link.
    is_listed = models.BooleanField(default=False)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    added_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)

    # The link for this person alone; none where nobody asked for one.
    token_hash = models.CharField(max_length=64, unique=True, null=True, blank=True)
    token = SealedTextField(blank=True, bound_to="token_place")

    # What is to be sent next, and what was sent last.
    mail_due = models.CharField(max_length=10, choices=Mail, blank=True)
    mail_due_at = models.DateTimeField(null=True, blank=True)
    mail = models.ForeignKey(
        OutgoingMail, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    invited_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)

    # When a password was refused last, and when one was right.
    refused_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    job = models.OneToOneField(
        Job,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="participant",
    )

    objects = ParticipantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "address"], name="one_participant_per_address"
            ),
            models.CheckConstraint(
                condition=models.Q(mail_due="") ^ models.Q(mail_due_at__isnull=False),
                name="due_mail_has_a_date",
            ),
        ]
        indexes = [
            models.Index(
                fields=["mail_due_at"],
                condition=~models.Q(mail_due=""),
                name="participant_mail_due",
            ),
            models.Index(
                fields=["campaign", "submitted_at"], name="participant_submitted"
            ),
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def has_copy(self) -> bool:
        return self.job is not None and self.job.removed_at is None

    @property
    def token_place(self) -> str:
        """What the sealed token is bound to."""
        return f"migrations.participant:{self.uuid}:token"


# A login beside an address, and no administrator has said that they belong together.
UNVOUCHED = models.Q(vouched_at=None) & ~models.Q(user="") & ~models.Q(came_by="added")
# By the link for everybody anybody can write that of anybody.
DOUBTFUL = UNVOUCHED & models.Q(came_by="shared")


class SubmissionQuerySet(models.QuerySet["Submission"]):
    def beyond_doubt(self) -> Self:
        return self.exclude(DOUBTFUL)

    def untried(self) -> Self:
        """Those that a worker still has to try, or is trying."""
        states = [Submission.State.WAITING, Submission.State.TRYING]
        return self.filter(state__in=states)

    def due(self, at: datetime) -> Self:
        """Those to be tried now, also where whoever began has died; oldest first."""
        return self.untried().filter(due_at__lte=at).order_by("due_at", "pk")

    def under_way(self, at: datetime) -> Self:
        """Those that somebody is trying, and has not let wait for too long."""
        return self.filter(state=Submission.State.TRYING, due_at__gt=at)


class Submission(models.Model):
    """A password that an owner handed over: sealed, and erased when it is of no use.

    One that was right takes the place of the former. One that could not be tried waits
    for a worker, and never displaces one that was right before it has been tried.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waits for the server"
        TRYING = "trying", "Being tried"
        RIGHT = "right", "Right"
        REFUSED = "refused", "Refused"
        UNANSWERED = "unanswered", "The server never answered"

    class CameBy(models.TextChoices):
        SHARED = "shared", "The link for everybody"
        OWN = "own", "A link of their own"
        ADDED = "added", "Somebody on their behalf"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    participant = models.ForeignKey(
        Participant, on_delete=models.CASCADE, related_name="submissions"
    )
    # Where it differs from the address.
    user = models.CharField(max_length=254, blank=True)
    came_by = models.CharField(
        max_length=8, choices=CameBy, default=CameBy.SHARED, db_default="shared"
    )
    # From which place it came, as a keyed hash, for as long as it waits.
    client_key = models.CharField(max_length=64, blank=True, default="", db_default="")
    secret = SealedTextField(blank=True, bound_to="secret_place")
    state = models.CharField(max_length=12, choices=State, default=State.WAITING)
    words = models.CharField(max_length=500, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    # When it may be tried next; while it is being tried, when somebody else may.
    due_at = models.DateTimeField(null=True, blank=True)
    made_at = models.DateTimeField(default=timezone.now)
    # When its owner agreed that the mailbox is read; None where it was added for them.
    agreed_at = models.DateTimeField(null=True, blank=True)
    # When an administrator agreed to a login that is not the address.
    vouched_at = models.DateTimeField(null=True, blank=True)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["participant"],
                condition=models.Q(state="right"),
                name="one_right_password_each",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "trying"])
                ^ models.Q(due_at=None),
                name="untried_submissions_are_due",
            ),
            models.CheckConstraint(
                condition=models.Q(secret="")
                | models.Q(state__in=["waiting", "trying", "right"]),
                name="useless_passwords_are_erased",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(state__in=["waiting", "trying"]),
                name="submission_untried",
            )
        ]

    def __str__(self) -> str:
        return f"password of {self.participant}"

    @property
    def source_user(self) -> str:
        """Who signs in at the old server."""
        return self.user or self.participant.address

    @property
    def is_vouched(self) -> bool:
        """Whether nobody has to agree to its login, or somebody did."""
        is_plain = not self.user or self.came_by == self.CameBy.ADDED
        return is_plain or self.vouched_at is not None

    @property
    def is_doubtful(self) -> bool:
        return self.came_by == self.CameBy.SHARED and not self.is_vouched

    @property
    def secret_place(self) -> str:
        """What the sealed password is bound to."""
        return f"migrations.submission:{self.uuid}:password"
