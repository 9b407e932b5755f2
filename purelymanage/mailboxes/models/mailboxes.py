from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Exists, Func, OuterRef, Q
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.deletions.models import (
    Kind,
    PendingDeletion,
    open_hour,
    open_state,
)
from purelymanage.mailboxes.models.creations import Creation


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
            .filter(Q(details_at=None) | Q(details_at__lt=week_ago))
            .order_by(models.F("details_at").asc(nulls_first=True), "address")
        )

    def with_deletion(self) -> Self:
        """Annotate what is to be deleted with `deletion_state` and `delete_after`."""
        return self.annotate(
            deletion_state=open_state(Kind.MAILBOX, "address", "domain"),
            delete_after=open_hour(Kind.MAILBOX, "address", "domain"),
        )

    def search(self, words: str) -> Self:
        """Mailboxes that have each word in their address, their note or a tag.

        Looking through all of them takes 20 ms for ten times what PurelyMail lists, so
        that there is no index for it: trigrams need an extension of PostgreSQL that not
        everybody may create.
        """
        tags = Func(models.F("tags"), models.Value(" "), function="array_to_string")
        found = self.alias(tag_words=models.ExpressionWrapper(tags, models.TextField()))
        for word in words.split():
            found = found.filter(
                Q(address__icontains=word)
                | Q(note__icontains=word)
                | Q(tag_words__icontains=word)
            )
        return found

    def tagged(self, tags: Collection[str]) -> Self:
        """Mailboxes that have every one of these tags."""
        return self.filter(tags__contains=list(tags)) if tags else self

    def tags_in_use(self) -> list[str]:
        """Return each tag that one of these mailboxes has, in the order of letters."""
        each = Func(
            models.F("tags"), function="unnest", output_field=models.CharField()
        )
        tagged = self.exclude(tags=[]).order_by().annotate(tag=each)
        return sorted(tagged.values_list("tag", flat=True).distinct())

    def with_two_factor(self, wanted: str) -> Self:
        """Mailboxes with two-factor sign-in "on" or "off", else all of them."""
        if wanted not in ("on", "off"):
            return self
        return self.filter(two_factor=wanted == "on")

    def without_reset(self) -> Self:
        """Mailboxes whose owners may not reset the password."""
        return self.filter(reset_allowed=False)

    def without_recovery(self) -> Self:
        """Mailboxes of which PurelyMail told its details, and no recovery method."""
        return self.exclude(details_at=None).filter(recovery_methods=[])

    def without_details(self) -> Self:
        """Mailboxes that nobody has asked PurelyMail about yet."""
        return self.filter(details_at=None)

    def suspended(self) -> Self:
        return self.exclude(suspended_at=None)

    def gone(self) -> Self:
        """Mailboxes that PurelyMail does not list any more."""
        return self.exclude(gone_at=None)

    def to_be_deleted(self) -> Self:
        """Mailboxes that await their deletion, or that of their domain."""
        open_ones = PendingDeletion.objects.open()
        return self.filter(
            Q(address__in=open_ones.filter(kind=Kind.MAILBOX).values("key"))
            | Q(domain__in=open_ones.filter(kind=Kind.DOMAIN).values("key"))
        )

    def made_elsewhere(self) -> Self:
        """Mailboxes that this panel did not create."""
        ours = Creation.objects.filter(
            address=OuterRef("address"), state=Creation.State.DONE
        )
        return self.exclude(Exists(ours))


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
    # Each with type, target, description, allow_mfa_reset.
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
        indexes = [
            GinIndex(fields=["tags"], name="mailbox_tags"),
            # Who recovers a password through one of many that are to be deleted.
            GinIndex(
                fields=["recovery_methods"],
                name="mailbox_recovery",
                opclasses=["jsonb_path_ops"],
            ),
            # The orders of the list, each in both directions.
            models.Index(fields=["domain", "address"], name="mailbox_by_domain"),
            models.Index(fields=["first_seen_at", "address"], name="mailbox_by_age"),
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def is_read(self) -> bool:
        """Whether its details are known: PurelyMail was asked, and had an answer."""
        return self.details_at is not None and self.two_factor is not None

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
