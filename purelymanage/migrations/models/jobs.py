from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.migrations.models.servers import Server


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: User) -> Self:
        """Every job, or for a limited person those into mailboxes of their domains."""
        if user.domain_scope is None:
            return self
        return self.filter(destination_domain__in=user.domain_scope)

    def with_expired_secret(self) -> Self:
        return self.exclude(source_secret="").filter(
            secret_expires_at__lte=timezone.now()
        )


class Job(models.Model):
    """A mailbox to be copied into one of the account's, as often as it takes.

    The destination is kept as text because the job outlives what it is about, and the
    domain beside it because rights go by domain.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    server = models.ForeignKey(Server, on_delete=models.PROTECT, related_name="jobs")
    source_user = models.CharField(max_length=254)
    source_secret = models.TextField(blank=True)
    secret_expires_at = models.DateTimeField(null=True, blank=True)
    secret_wiped_at = models.DateTimeField(null=True, blank=True)
    destination = models.EmailField()
    destination_domain = models.CharField(max_length=253, db_index=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(source_secret="")
                | models.Q(secret_expires_at__isnull=False),
                name="stored_passwords_expire",
            )
        ]
        indexes = [models.Index(fields=["destination"], name="job_destination")]

    def __str__(self) -> str:
        return f"{self.source_user} to {self.destination}"

    @property
    def needs_password(self) -> bool:
        return not self.source_secret

    @property
    def secret_place(self) -> str:
        """What the sealed password is bound to."""
        return f"migrations.job:{self.uuid}:source_password"

    @property
    def pair(self) -> str:
        """The two mailboxes; a copy between them never runs twice at once."""
        names = (self.server.host, self.source_user, self.destination)
        return " ".join(names).lower()
