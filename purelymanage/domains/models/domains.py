from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Case, Count, F, Q, Value, When
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.deletions.models import Kind, open_hour, open_state

if TYPE_CHECKING:
    from purelymanage.domains.models.health import Health

# The worst to fail first: without MX no mail arrives.
VERDICTS = ("passes_mx", "passes_spf", "passes_dkim", "passes_dmarc")
# As `Health.State` names them; the rest was not looked at yet.
WORST_FIRST = ("broken", "attention", "unknown", "good")


class Standing(models.TextChoices):
    """What a domain needs, for all that is known of it.

    PurelyMail is believed as long as we have not seen it ourselves.
    """

    DEAF = "deaf", "Mail does not arrive, or not all of it"
    WRONG = "wrong", "Something is to be done"
    RIGHT = "right", "Healthy"
    UNKNOWN = "unknown", "Could not look"


def _standing() -> Case:
    unseen = Q(health__looked_at=None)
    seen_bad = Q(health__cells__mx__in=["missing", "wrong"], is_shared=False)
    return Case(
        When(~unseen & seen_bad, then=Value(Standing.DEAF)),
        # Of the domains everybody shares, PurelyMail alone tells the records.
        When(
            (unseen | Q(is_shared=True)) & Q(passes_mx=False), then=Value(Standing.DEAF)
        ),
        When(health__state__in=["broken", "attention"], then=Value(Standing.WRONG)),
        When(health__state="good", then=Value(Standing.RIGHT)),
        When(~unseen, then=Value(Standing.UNKNOWN)),
        When(**dict.fromkeys(VERDICTS, True), then=Value(Standing.RIGHT)),
        default=Value(Standing.WRONG),
    )


class DomainQuerySet(models.QuerySet["Domain"]):
    def visible_to(self, user: User) -> Self:
        """Every domain, or for a limited person their own."""
        if user.domain_scope is None:
            return self
        return self.filter(name__in=user.domain_scope)

    def present(self) -> Self:
        """Domains that PurelyMail listed at the last sync."""
        return self.filter(gone_at=None)

    def with_deletion(self) -> Self:
        """Annotate what is to be deleted with `deletion_state` and `delete_after`."""
        return self.annotate(
            deletion_state=open_state(Kind.DOMAIN, "name", "name"),
            delete_after=open_hour(Kind.DOMAIN, "name", "name"),
        )

    def with_health(self) -> Self:
        """Fetch what was last seen of each in the same query."""
        return self.select_related("health")

    def for_grid(self) -> Self:
        """Fetch what a list draws, and not what was seen word by word."""
        return self.with_health().defer(
            "health__observation", "health__known", "health__sees"
        )

    def with_standing(self) -> Self:
        """Annotate what each one needs with `standing`."""
        return self.annotate(standing=_standing())

    def standings(self) -> dict[str, int]:
        """Return how many stand how."""
        of_each = {it.value: Count("pk", filter=Q(standing=it)) for it in Standing}
        return self.alias(standing=_standing()).aggregate(**of_each)

    def that_are(self, standing: Standing) -> Self:
        return self.alias(standing=_standing()).filter(Q(standing=standing))

    def in_state(self, state: str) -> Self:
        """Domains in one of `Health.State`; never looked at counts as unseen."""
        if state == "unseen":
            return self.filter(Q(health=None) | Q(health__state=state))
        return self.filter(health__state=state)

    def disputed(self) -> Self:
        """Domains of which PurelyMail says something else than we see."""
        return self.filter(health__isnull=False).exclude(health__disputed=[])

    def worst_seen_first(self) -> Self:
        """Order by what we saw ourselves, and then by what PurelyMail says."""
        rank = Case(
            *(
                When(health__state=state, then=place)
                for place, state in enumerate(WORST_FIRST)
            ),
            default=len(WORST_FIRST),
        )
        return self.order_by(
            rank, F("health__finding_count").desc(nulls_last=True), *VERDICTS, "name"
        )

    def search(self, words: str) -> Self:
        """Domains whose name contains each of the words."""
        found = self
        for word in words.split():
            found = found.filter(name__icontains=word)
        return found


class Domain(models.Model):
    """A domain of the account as PurelyMail last told it."""

    name = models.CharField(max_length=253, unique=True)
    is_shared = models.BooleanField(default=False)
    allow_account_reset = models.BooleanField(default=True)
    symbolic_subaddressing = models.BooleanField(default=True)
    passes_mx = models.BooleanField(default=False)
    passes_spf = models.BooleanField(default=False)
    passes_dkim = models.BooleanField(default=False)
    passes_dmarc = models.BooleanField(default=False)
    first_seen_at = models.DateTimeField(default=timezone.now)
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = DomainQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def seen(self) -> Health | None:
        """What we saw in the DNS ourselves, or None before the first look."""
        health: Health | None = getattr(self, "health", None)
        return health if health and health.looked_at else None

    @property
    def records(self) -> list[tuple[str, bool]]:
        """The four kinds of record and whether PurelyMail is content with each."""
        return [
            ("MX", self.passes_mx),
            ("SPF", self.passes_spf),
            ("DKIM", self.passes_dkim),
            ("DMARC", self.passes_dmarc),
        ]

    @property
    def is_healthy(self) -> bool:
        return all(passes for _, passes in self.records)

    @property
    def cells(self) -> list[tuple[str, str]]:
        """Each kind of record with its state: PurelyMail needs MX and SPF."""
        needed = ("MX", "SPF")
        return [
            (kind, "good" if passes else "broken" if kind in needed else "attention")
            for kind, passes in self.records
        ]

    @property
    def tone(self) -> str:
        tones = {tone for _, tone in self.cells}
        return next(t for t in ("broken", "attention", "good") if t in tones)

    @property
    def verdict(self) -> str:
        """PurelyMail's view of the records in a few words."""
        wrong = [kind for kind, passes in self.records if not passes]
        if not wrong:
            return "Healthy"
        if not self.passes_mx:
            return "Mail does not arrive"
        *most, last = wrong
        names = f"{', '.join(most)} and {last}" if most else last
        return f"{names} {'fail' if most else 'fails'}"
