from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.utils import timezone

from purelymanage.audit.models.entries import Entry


class By(models.TextChoices):
    """How somebody hears of an event; a mail comes besides the notice in the panel."""

    MAIL = "mail", "By mail and in the panel"
    BELL = "bell", "In the panel"
    NONE = "none", "Not at all"


class NotificationChoice(models.Model):
    """What one person chose for one kind of events, where it is not the usual."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    kind = models.CharField(max_length=20)
    by = models.CharField(max_length=4, choices=By)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "kind"], name="one_choice_per_person_and_kind"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.get_by_display()}"


class NoticeQuerySet(models.QuerySet["Notice"]):
    def of(self, person: AbstractBaseUser) -> Self:
        return self.filter(person_id=person.pk)

    def unseen(self) -> Self:
        return self.filter(seen_at=None)

    def to_mail(self) -> Self:
        return self.filter(by_mail=True, mailed_at=None)

    def mailed_since(self, moment: datetime) -> Self:
        return self.filter(mailed_at__gt=moment)


class Notice(models.Model):
    """Tells one person of one entry."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    by_mail = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "entry"], name="one_notice_per_person_and_entry"
            )
        ]
        indexes = [
            models.Index(
                fields=["person"],
                condition=models.Q(seen_at=None),
                name="notice_unseen",
            ),
            models.Index(
                fields=["person", "kind"],
                condition=models.Q(by_mail=True, mailed_at=None),
                name="notice_to_mail",
            ),
            models.Index(fields=["created_at"], name="notice_age"),
        ]

    def __str__(self) -> str:
        return f"{self.entry} ({self.kind})"


class NoticeCursor(models.Model):
    """Up to which entry notices have been made. There is one row."""

    sequence = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.sequence)
