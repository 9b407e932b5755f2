from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, Exists, F, Func, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Cast, Concat, Length
from django.urls import reverse
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.deletions.models import Kind, open_hour, open_state
from purelymanage.routing.models.expiries import Expiry
from purelymanage.routing.models.rewrites import Rewrite


class RuleQuerySet(models.QuerySet["Rule"]):
    def visible_to(self, user: User) -> Self:
        """Every rule, or for a limited person those of their domains."""
        if user.domain_scope is None:
            return self
        return self.filter(domain__in=user.domain_scope)

    def present(self) -> Self:
        """Rules that PurelyMail listed at the last sync."""
        return self.filter(gone_at=None)

    def with_deletion(self) -> Self:
        """Annotate what is to be deleted with `deletion_state` and `delete_after`."""
        return self.alias(key=Cast("remote_id", models.CharField())).annotate(
            deletion_state=open_state(Kind.RULE, "key", "domain"),
            delete_after=open_hour(Kind.RULE, "key", "domain"),
        )

    def with_expiry(self) -> Self:
        """Annotate rules that are to end with `ends_on` and `expiry_trouble`."""
        mine = Expiry.objects.filter(remote_id=OuterRef("remote_id"))
        return self.annotate(
            ends_on=Subquery(mine.values("ends_on")[:1]),
            expiry_trouble=Subquery(mine.values("trouble")[:1]),
        )

    def with_rewrite(self) -> Self:
        """Annotate rules that the panel is replacing with `is_being_replaced`."""
        mine = Rewrite.objects.open().filter(old_id=OuterRef("remote_id"))
        return self.annotate(is_being_replaced=Exists(mine))

    def search(self, words: str) -> Self:
        """Rules with each of the words on either side: what matches, where it goes."""
        star = Case(When(prefix=True, then=Value("*")), default=Value(""))
        found = self.alias(
            written=Concat("match_user", star, Value("@"), "domain"),
            goes_to=Func(
                F("targets"),
                Value(" "),
                function="array_to_string",
                output_field=models.TextField(),
            ),
        )
        for word in words.split():
            found = found.filter(
                Q(written__icontains=word) | Q(goes_to__icontains=word)
            )
        return found

    def same_match(self, wanted: dict[str, Any]) -> Self:
        """Rules for the same addresses, of which PurelyMail allows only one."""
        return self.filter(
            domain=wanted["domain"],
            match_user__iexact=wanted["match_user"],
            prefix=wanted["prefix"],
        )

    def of_kind(self, kind: str) -> Self:
        """Rules of one kind; without a kind that is known, all of them."""
        is_named = ~Q(match_user="")
        known = {
            Rule.Kind.EXACT: is_named & Q(prefix=False, catchall=False),
            Rule.Kind.PREFIX: is_named & Q(prefix=True, catchall=False),
            Rule.Kind.ANY: Q(match_user="", prefix=True, catchall=False),
            Rule.Kind.CATCH_ALL: Q(match_user="", prefix=True, catchall=True),
        }
        if kind == Rule.Kind.CUSTOM:
            return self.exclude(reduce(or_, known.values()))
        return self.filter(known[Rule.Kind(kind)]) if kind in known else self

    def strongest_first(self) -> Self:
        """In the order in which PurelyMail looks: exact, longest prefix, any."""
        reach = Case(When(prefix=True, then=-Length("match_user")), default=Value(0))
        return self.order_by("domain", "prefix", reach, "catchall", "match_user")


class Rule(models.Model):
    """A routing rule as PurelyMail last told it."""

    class Kind(models.TextChoices):
        EXACT = "exact", "Exact address"
        PREFIX = "prefix", "Any address starting with"
        ANY = "any", "Any address"
        CATCH_ALL = "catch_all", "Any address except mailboxes"
        CUSTOM = "custom", "Custom"

    remote_id = models.BigIntegerField(unique=True)
    domain = models.CharField(max_length=253, db_index=True)
    match_user = models.CharField(max_length=254, blank=True)
    prefix = models.BooleanField()
    catchall = models.BooleanField()
    targets: models.Field[list[str], list[str]] = ArrayField(
        models.CharField(max_length=254)
    )
    first_seen_at = models.DateTimeField(default=timezone.now)
    gone_at = models.DateTimeField(null=True, blank=True)
    # Kept by the panel; PurelyMail knows nothing of these. A rule that nobody made
    # here has no maker.
    note = models.TextField(max_length=2_000, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    made_as = models.CharField(max_length=150, blank=True)

    objects = RuleQuerySet.as_manager()

    class Meta:
        ordering = ["domain", "match_user", "remote_id"]

    def __str__(self) -> str:
        return self.pattern

    @property
    def kind(self) -> Kind:
        """The portal's name for the flags (reference/purelymail.md, section 1.4)."""
        match (bool(self.match_user), self.prefix, self.catchall):
            case (True, False, False):
                return self.Kind.EXACT
            case (True, True, False):
                return self.Kind.PREFIX
            case (False, True, False):
                return self.Kind.ANY
            case (False, True, True):
                return self.Kind.CATCH_ALL
        return self.Kind.CUSTOM

    @property
    def pattern(self) -> str:
        """What the rule matches, as one would write an address: `sales-*@…`."""
        star = "*" if self.prefix else ""
        return f"{self.match_user}{star}@{self.domain}"

    @property
    def kept(self) -> dict[str, Any]:
        """What stays when PurelyMail gives the rule another id."""
        return {"note": self.note, "made_by": self.made_by, "made_as": self.made_as}

    @property
    def url(self) -> str:
        return reverse("routing:rule-detail", args=[self.remote_id])
