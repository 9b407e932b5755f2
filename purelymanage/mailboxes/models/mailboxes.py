from __future__ import annotations

from datetime import timedelta
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Func
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.deletions.models import Kind, open_hour, open_state


class MailboxQuerySet(models.QuerySet["Mailbox"]):
    def visible_to(self, user: User) -> Self:
        """Every mailbox, or for a limited person those of their domains."""
        if user.domain_scope is None:
            return self
        return self.filter(domain__in=user.domain_scope)

    def present(self) -> Self:
        """Mailboxes that PurelyMail listed at the last sync."""
        return self.filter(gone_at=None)

    def with_old_details(self) -> Self:
        """Mailboxes whose details nobody read for a week, the longest ago first."""
        week_ago = timezone.now() - timedelta(days=7)
        return (
            self.present()
            .filter(models.Q(details_at=None) | models.Q(details_at__lt=week_ago))
            .order_by(models.F("details_at").asc(nulls_first=True), "address")
        )

    def with_deletion(self) -> Self:
        """Annotate what is to be deleted with `deletion_state` and `delete_after`."""
        return self.annotate(
            deletion_state=open_state(Kind.MAILBOX, "address", "domain"),
            delete_after=open_hour(Kind.MAILBOX, "address", "domain"),
        )

    def search(self, words: str) -> Self:
        """Mailboxes whose address contains each of the words."""
        found = self
        for word in words.split():
            found = found.filter(address__icontains=word)
        return found

    def tags_in_use(self) -> list[str]:
        """Return each tag that one of these mailboxes has, in the order of letters."""
        each = Func(
            models.F("tags"), function="unnest", output_field=models.CharField()
        )
        found = self.order_by().annotate(tag=each).values_list("tag", flat=True)
        return sorted(set(found))

    def with_two_factor(self, wanted: str) -> Self:
        """Mailboxes with two-factor sign-in "on" or "off", else all of them."""
        if wanted not in ("on", "off"):
            return self
        return self.filter(two_factor=wanted == "on")


class Mailbox(models.Model):
    """A PurelyMail user as last seen. Details are unknown until `details_at`.

    `domain` is text because users may live on PurelyMail's shared domains, which are
    not in the account's list.
    """

    address = models.EmailField(unique=True)
    domain = models.CharField(max_length=253, db_index=True)
    two_factor = models.BooleanField(null=True)
    reset_allowed = models.BooleanField(null=True)
    search_indexing = models.BooleanField(null=True)
    spam_filtering = models.BooleanField(null=True)
    # As PurelyMail tells them: type, target, description, allowMfaReset.
    recovery_methods = models.JSONField(default=list)
    details_at = models.DateTimeField(null=True, blank=True)
    first_seen_at = models.DateTimeField(default=timezone.now)
    gone_at = models.DateTimeField(null=True, blank=True)
    # Kept by the panel; PurelyMail knows nothing of these.
    note = models.TextField(max_length=2_000, blank=True)
    tags = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True)

    objects = MailboxQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "mailboxes"
        ordering = ["address"]
        indexes = [GinIndex(fields=["tags"], name="mailbox_tags")]

    def __str__(self) -> str:
        return self.address

    @property
    def recovery(self) -> str:
        """The kinds of recovery method in words, empty where there is none."""
        kinds = {method.get("type") for method in self.recovery_methods}
        names = {"email": "E-mail", "phone": "phone"}
        words = ", ".join(name for kind, name in names.items() if kind in kinds)
        return words[:1].upper() + words[1:]

    @property
    def local_part(self) -> str:
        return self.address.rpartition("@")[0]
