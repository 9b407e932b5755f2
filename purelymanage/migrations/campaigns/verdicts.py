"""Where the mailboxes of a campaign go and what stands against it.

All of it is computed by the database, so that ten thousand people can be filtered and
counted like ten.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, ClassVar

from django.apps.registry import Apps
from django.contrib.postgres.aggregates import StringAgg
from django.db import models
from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    FilteredRelation,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import (
    Cast,
    Coalesce,
    Concat,
    Left,
    Lower,
    NullIf,
    StrIndex,
)

from purelymanage.deletions.models import Kind, PendingDeletion
from purelymanage.domains.models import Domain
from purelymanage.mailboxes import addresses
from purelymanage.mailboxes.models import Creation, Mailbox
from purelymanage.migrations.campaigns.states import A_PAGE
from purelymanage.migrations.campaigns.terms import (
    Question,
    Terms,
    kind_of,
    slots_of,
    terms_of,
    values_of,
)
from purelymanage.migrations.campaigns.verdict_list import FITTING, MERGING
from purelymanage.migrations.models import Campaign, Job, Participant, Submission
from purelymanage.prepared import KeptRows, Prepared, Slot, for_keys, key_slots

EMPTY, TEXT = Value(""), CharField()
NO_ADDRESS = "nobody"
CameBy = Submission.CameBy


def with_verdict(campaign: Campaign) -> QuerySet[Any]:
    """Return the people of a campaign with what launching would make of them.

    Annotates `into`, their mailbox; `verdict`, the code of a `Verdict`; `exists`,
    whether that mailbox does; and `has_password`, whether one that is right is kept.
    """
    return _with_verdict(terms_of(campaign))


def some_with_verdict(campaign: Campaign, keys: Sequence[int]) -> list[Any]:
    """Return these few of the people of a campaign `with_verdict`."""
    return _few(kind_of(campaign)).ask(**values_of(campaign), **for_keys(keys, A_PAGE))


def some_with_source(campaign: Campaign, keys: Sequence[int]) -> list[Any]:
    """Return these few where somebody knows the verdict already."""
    asked = _few(kind_of(campaign), verdict=False)
    return asked.ask(**values_of(campaign), **for_keys(keys, A_PAGE))


def codes_of(
    campaign: Campaign, keys: Sequence[int] = ()
) -> dict[int, tuple[str, bool]]:
    """Return the verdict on everybody by their keys, and whether a password is kept.

    Of those without a password nobody is judged but these few of `keys`: the verdict on
    the others is empty.
    """
    asked = _codes(kind_of(campaign)).ask(
        **values_of(campaign), **for_keys(keys, A_PAGE)
    )
    found: dict[int, tuple[str, bool]] = {}
    for verdict, has_password, some in asked:
        found |= dict.fromkeys(map(int, some.split(",")), (verdict, has_password))
    return found


@cache
def _few(kind: Question, *, verdict: bool = True) -> Prepared[Any]:
    terms = slots_of(kind)
    people = _with_verdict(terms) if verdict else _with_source(terms)
    return Prepared(people.filter(pk__in=key_slots(A_PAGE)))


@cache
def _codes(kind: Question) -> Prepared[Any]:
    """Ask for the keys of each verdict together: ten thousand rows take longer."""
    terms = slots_of(kind)
    is_asked = Q(has_password=True) | Q(is_launched=True) | Q(pk__in=key_slots(A_PAGE))
    everybody = _with_domain(_Person.objects.all())
    judged = everybody.annotate(
        verdict=_verdict(terms, everybody, When(~is_asked, then=EMPTY))
    )
    grouped = judged.values("verdict", "has_password").annotate(
        keys=StringAgg(Cast("pk", TEXT), ",")
    )
    people = _with_exists(_with_source(terms)).values(*_Person.columns())
    return Prepared(
        grouped.values_list("verdict", "has_password", "keys"),
        over=KeptRows(_Person._meta.db_table, people),
    )


class _Person(models.Model):
    """What `_with_source` and `_with_exists` tell of somebody: a row, but of no table.

    Words as long as those for `into` would be computed anew for each condition.
    """

    id = models.BigIntegerField(primary_key=True)
    is_listed = models.BooleanField()
    stored_pk = models.BigIntegerField(null=True)
    has_password = models.BooleanField()
    is_doubtful = models.BooleanField()
    asks = models.BooleanField()
    is_launched = models.BooleanField()
    is_same = models.BooleanField(null=True)
    into = models.TextField()
    source = models.TextField()
    exists = models.BooleanField()

    objects: ClassVar[models.Manager[_Person]] = models.Manager()

    class Meta:
        app_label = "migrations"
        # Nobody else is to know of it, migrations least of all.
        apps = Apps()
        managed = False
        db_table = "person"

    def __str__(self) -> str:
        return self.source

    @classmethod
    def columns(cls) -> list[str]:
        return [it.attname for it in cls._meta.concrete_fields]


def _with_verdict(terms: Terms) -> QuerySet[Any]:
    everybody = _with_domain(_with_source(terms))
    people = _with_exists(everybody)
    found: QuerySet[Any] = people.annotate(verdict=_verdict(terms, everybody))
    return found


def _with_exists(people: QuerySet[Any]) -> QuerySet[Any]:
    mine = Mailbox.objects.present().filter(address=OuterRef("into"))
    found: QuerySet[Any] = people.annotate(exists=Exists(mine))
    return found


def _verdict(terms: Terms, everybody: QuerySet[Any], *first: When) -> Case:
    conditions = _conditions(terms, _claiming(everybody))
    return Case(
        *first,
        *(When(when, then=Value(code)) for code, when in conditions),
        When(exists=True, then=Value("exists")),
        default=Value("new"),
        output_field=TEXT,
    )


def ready(campaign: Campaign, *, merges: bool = False) -> QuerySet[Any]:
    """Return those that can be launched; with `merges` also into shared mailboxes."""
    codes = FITTING | MERGING if merges else FITTING
    return with_verdict(campaign).filter(has_password=True, verdict__in=codes)


def _with_source(terms: Terms) -> QuerySet[Any]:
    """Annotate `into`, `stored`, `has_password` and `source`: who signs in, in small.

    And `is_doubtful`: whether nobody vouches that this login belongs to the address;
    `asks`: whether an administrator has to, before it is copied with; `is_launched`, and
    `is_same`: whether it is the login that was launched.
    """
    stored = FilteredRelation(
        "submissions", condition=Q(submissions__state=Submission.State.RIGHT)
    )
    people = Participant.objects.present().filter(campaign=terms.campaign)
    return people.annotate(
        stored=stored,
        stored_pk=F("stored__pk"),
        has_password=_holds(Q(stored_pk__isnull=False) & ~Q(stored__secret="")),
        is_doubtful=_holds(_UNVOUCHED & Q(stored__came_by=CameBy.SHARED)),
        asks=_holds(_UNVOUCHED & ~Q(stored__secret="")),
        is_launched=_holds(_LAUNCHED),
        into=_into(terms),
        source=Lower(
            Coalesce(NullIf("stored__user", EMPTY), "address", output_field=TEXT)
        ),
    ).annotate(is_same=_holds(Q(source=Lower("job__source_user"))))


def _with_domain(people: QuerySet[Any]) -> QuerySet[Any]:
    found: QuerySet[Any] = people.annotate(
        name_ends=StrIndex("into", Value("@")),
        domain=Func(
            "into", Value("@"), Value(2), function="split_part", output_field=TEXT
        ),
    )
    return found


def _holds(when: Q) -> Combinable:
    return ExpressionWrapper(when, output_field=BooleanField())


_LAUNCHED = Q(job__isnull=False, job__removed_at=None)
# See the same of submissions.
_UNVOUCHED = Q(
    stored_pk__isnull=False, stored__user__gt="", stored__vouched_at=None
) & ~Q(stored__came_by=CameBy.ADDED)


def _into(terms: Terms) -> Combinable:
    """Return where somebody goes: as their copy does, as was said, or by the rule."""
    by_rule: Combinable = EMPTY
    if terms.by_rule:
        local = Left("address", StrIndex("address", Value("@")) - 1)
        by_rule = Concat(local, terms.at_domain, output_field=TEXT)
    return Lower(
        Case(
            When(_LAUNCHED, then=F("job__destination")),
            When(destination__gt="", then=F("destination")),
            default=by_rule,
            output_field=TEXT,
        )
    )


_LOCAL = rf"{addresses.ATOM}(\.{addresses.ATOM})*"
_ADDRESS = rf"^{_LOCAL}@[^@]+$"
_LONGEST = addresses.LONGEST_LOCAL_PART
_WITH_SYMBOL = r"^[^@]*[^a-z0-9@]"


def _conditions(terms: Terms, claiming: QuerySet[Any]) -> Sequence[tuple[str, Q]]:
    """Return when each verdict holds; the first that does is the one."""
    domains = Domain.objects.present()
    frozen = PendingDeletion.objects.open()
    mailboxes = frozen.filter(kind=Kind.MAILBOX).values("key")
    jobs = Job.objects.present()
    of_account = jobs.filter(destination_server=None).values(it=Lower("destination"))
    of_server = jobs.filter(server=terms.server).values(it=Lower("source_user"))
    return [
        ("switched", Q(is_launched=True, asks=True) & ~Q(is_same=True)),
        ("launched", Q(is_launched=True)),
        ("unset", Q(into="")),
        ("invalid", ~Q(into__regex=_ADDRESS) | Q(name_ends__gt=_LONGEST + 1)),
        ("foreign", Q(exists=False) & ~Q(domain__in=domains.values("name"))),
        (
            "frozen",
            Q(into__in=mailboxes)
            | Q(domain__in=frozen.filter(kind=Kind.DOMAIN).values("key")),
        ),
        ("asked", Q(into__in=Creation.objects.asked().values("address"))),
        # With subaddressing, mail for such a name goes to another mailbox.
        (
            "invalid",
            Q(domain__in=domains.filter(symbolic_subaddressing=True).values("name"))
            & Q(exists=False)
            & Q(into__regex=_WITH_SYMBOL),
        ),
        ("itself", Q(into=F("source"), pk__isnull=not terms.of_purelymail)),
        ("twice", _is_twice(claiming) | Q(source__in=of_server)),
        ("login", Q(asks=True)),
        ("shared", _is_shared(claiming) | Q(into__in=of_account)),
    ]


def claims_on(
    campaign: Campaign, column: str, values: Collection[str]
) -> list[tuple[str, str]]:
    """Return what claims these few values of `into` or of `source`, with each value.

    First who would be copied, then the copies that there are already.
    """
    wanted = [*values, *[NO_ADDRESS] * (A_PAGE - len(values))]
    asked = {f"value{number}": it for number, it in enumerate(wanted)}
    people = _claims(kind_of(campaign), column).ask(**values_of(campaign), **asked)
    copies = _copies(column).ask(server=campaign.server_id, **asked)
    return [*people, *copies]


@cache
def _claims(kind: Question, column: str) -> Prepared[Any]:
    """Ask for those who would be copied: listed ones, and who handed over a password.

    Nobody may be in the way of others by writing an address like theirs into the form.
    """
    people = _claiming(_with_source(slots_of(kind)))
    found = people.filter(**{f"{column}__in": _value_slots()})
    return Prepared(found.order_by("address").values_list(column, "address"))


@cache
def _copies(column: str) -> Prepared[Any]:
    jobs = Job.objects.present()
    if column == "into":
        found = jobs.filter(destination_server=None).annotate(it=Lower("destination"))
    else:
        found = jobs.filter(server=Slot("server")).annotate(it=Lower("source_user"))
    rows = found.filter(it__in=_value_slots()).order_by("pk")
    return Prepared(rows.values_list("it", "source_user"))


def _value_slots() -> list[Slot]:
    return [Slot(f"value{number}") for number in range(A_PAGE)]


def _claiming(everybody: QuerySet[Any]) -> QuerySet[Any]:
    real = Q(is_listed=True) | Q(stored_pk__isnull=False) | Q(is_launched=True)
    found: QuerySet[Any] = everybody.filter(real)
    return found


def _is_twice(everybody: QuerySet[Any]) -> Q:
    """Return who signs in like others.

    A password of one's own proves nothing about an address that is written beside it:
    who is doubtful stands back for the others, and never holds them back.
    """
    doubtful = Q(is_doubtful=True)
    certain = everybody.filter(~doubtful | Q(is_launched=True))
    return Q(source__in=_several(certain, "source")) | (
        doubtful & Q(source__in=_several(everybody, "source"))
    )


def _is_shared(everybody: QuerySet[Any]) -> Q:
    """Return who goes where others go as well.

    Nor does who is doubtful hold others back here, unless they were listed, and go
    there with any login.
    """
    doubtful = Q(is_doubtful=True, is_listed=False)
    certain = everybody.filter(~doubtful | Q(is_launched=True))
    return Q(into__in=_several(certain, "into"))


def _several(people: QuerySet[Any], column: str) -> QuerySet[Any]:
    """Return what more than one of these people has in `column`."""
    by_value = people.order_by().values(column)
    several: QuerySet[Any] = by_value.annotate(number=Count("pk")).filter(number__gt=1)
    return several.values(column)
