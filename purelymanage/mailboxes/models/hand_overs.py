from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.accounts.models.invitations import hash_token
from purelymanage.mailboxes.models.mailboxes import Mailbox
from purelymanage.sealed import SealedTextField


def in_three_days() -> datetime:
    return timezone.now() + HandOver.LIFE


class HandOverQuerySet(models.QuerySet["HandOver"]):
    def visible_to(self, user: User) -> Self:
        """Those of the mailboxes that this person may see."""
        if user.domain_scope is None:
            return self
        return self.filter(mailbox__domain__in=user.domain_scope)

    def of_token(self, token: str) -> HandOver | None:
        found = self.select_related("mailbox").filter(token_hash=hash_token(token))
        return found.first()

    def unused(self) -> Self:
        """Those that nobody has viewed or withdrawn, in time or not."""
        return self.filter(viewed_at=None, withdrawn_at=None)

    def open(self) -> Self:
        """Those whose link still shows the password, if the mailbox is there.

        Asks of this table alone: an `UPDATE` that finds its rows through another one
        would not look at them again after waiting for somebody else's.
        """
        return self.unused().filter(expires_at__gt=timezone.now())

    def to_wipe(self) -> Self:
        """Those that nobody can view any more while the sealed password is here."""
        over = models.Q(expires_at__lte=timezone.now())
        gone = models.Q(mailbox__gone_at__isnull=False)
        return self.exclude(secret="").filter(over | gone)

    def lately(self) -> Self:
        """What became of them, the newest first, for as long as it matters."""
        since = timezone.now() - HandOver.REMEMBERED
        lately = self.select_related("made_by", "mailbox").filter(made_at__gt=since)
        return lately.order_by("-made_at")[:10]


class HandOver(models.Model):
    """A password on its way to the owner: sealed, shown once by a link, then gone.

    The link is found by the hash of its token. The token is kept sealed as well, so
    that a sheet of links can be made, and both are emptied with the first view.
    """

    LIFE = timedelta(hours=72)
    REMEMBERED = timedelta(days=30)

    class What(models.TextChoices):
        PASSWORD = "password", "Password"
        APP_PASSWORD = "app_password", "App password"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    mailbox = models.ForeignKey(
        Mailbox, on_delete=models.PROTECT, related_name="hand_overs"
    )
    what = models.CharField(max_length=20, choices=What, default=What.PASSWORD)
    token_hash = models.CharField(max_length=64, unique=True)
    token = SealedTextField(blank=True, bound_to="token_place")
    secret = SealedTextField(blank=True, bound_to="secret_place")
    # Nobody where it was made at a command line.
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(default=in_three_days)
    viewed_at = models.DateTimeField(null=True, blank=True)
    viewed_from = models.GenericIPAddressField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = HandOverQuerySet.as_manager()

    class Meta:
        indexes = [
            # For the task that wipes what was not fetched in time.
            models.Index(
                fields=["expires_at"],
                condition=~models.Q(secret=""),
                name="hand_over_unfetched",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_what_display()} of {self.mailbox}"

    @property
    def token_place(self) -> str:
        """What the sealed token is bound to."""
        return f"mailboxes.hand_over:{self.uuid}:token"

    @property
    def secret_place(self) -> str:
        """What the sealed password is bound to."""
        return f"mailboxes.hand_over:{self.uuid}:secret"

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()

    @property
    def is_open(self) -> bool:
        return not (
            self.viewed_at
            or self.withdrawn_at
            or self.is_expired
            or self.mailbox.gone_at
        )
