"""Where the mailboxes of a campaign go and what stands against it.

All of it is computed by the database, so that ten thousand people can be filtered and
counted like ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from django.conf import settings
from django.contrib.postgres.aggregates import StringAgg
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
from purelymanage.migrations.campaigns.verdict_list import FITTING, MERGING
from purelymanage.migrations.models import Campaign, Job, Participant, Submission
from purelymanage.prepared import Prepared, Slot

EMPTY, TEXT = Value(""), CharField()
CameBy = Submission.CameBy
A_PAGE = 50  # people


@dataclass(frozen=True, slots=True)
class Terms:
    """What it takes of a campaign to say where its people go.

    The first two decide which question is asked, the others are values in it, or slots
    for them.
    """

    by_rule: bool
    of_purelymail: bool
    campaign: int | Slot
    server: int | Slot
    at_domain: Combinable


# Which question is asked: the first two of the terms.
Question: TypeAlias = tuple[bool, bool]


def _kind(campaign: Campaign) -> Question:
    is_purelymail = (
        campaign.server.host.lower() == settings.PURELYMAIL_IMAP_HOST.lower()
    )
    return campaign.rule == Campaign.Rule.SAME, is_purelymail


def _values(campaign: Campaign) -> dict[str, Any]:
    return {
        "campaign": campaign.pk,
        "server": campaign.server_id,
        "at_domain": f"@{campaign.destination_domain}",
    }


def _terms(campaign: Campaign) -> Terms:
    values = _values(campaign)
    at_domain = Value(values.pop("at_domain"))
    return Terms(*_kind(campaign), **values, at_domain=at_domain)


def _slots(kind: Question) -> Terms:
    at_domain = ExpressionWrapper(Slot("at_domain"), output_field=TEXT)
    return Terms(*kind, Slot("campaign"), Slot("server"), at_domain)


def with_verdict(campaign: Campaign) -> QuerySet[Any]:
    """Return the people of a campaign with what launching would make of them.

    Annotates `into`, their mailbox; `verdict`, the code of a `Verdict`; `exists`,
    whether that mailbox does; and `has_password`, whether one that is right is kept.
    """
    return _with_verdict(_terms(campaign))


def some_with_verdict(campaign: Campaign, keys: Sequence[int]) -> list[Any]:
    """Return these few of the people of a campaign `with_verdict`."""
    return _few(_kind(campaign)).ask(**_values(campaign), **_for_keys(keys))


def some_with_source(campaign: Campaign, keys: Sequence[int]) -> list[Any]:
    """Return these few where somebody knows the verdict already."""
    asked = _few(_kind(campaign), verdict=False)
    return asked.ask(**_values(campaign), **_for_keys(keys))


def codes_of(campaign: Campaign) -> dict[int, tuple[str, bool]]:
    """Return the verdict on everybody by their keys, and whether a password is kept."""
    asked = _codes(_kind(campaign)).ask(**_values(campaign))
    found: dict[int, tuple[str, bool]] = {}
    for *verdict, keys in asked:
        found |= dict.fromkeys(map(int, keys.split(",")), tuple(verdict))
    return found


def _for_keys(keys: Sequence[int]) -> dict[str, int]:
    """Return what fills the slots for the keys of a page; nobody has the key 0."""
    assert len(keys) <= A_PAGE
    found = [*keys, *[0] * (A_PAGE - len(keys))]
    return {f"key{number}": key for number, key in enumerate(found)}


@cache
def _few(kind: Question, *, verdict: bool = True) -> Prepared[Any]:
    terms = _slots(kind)
    people = _with_verdict(terms) if verdict else _with_source(terms)
    slots = [Slot(f"key{number}") for number in range(A_PAGE)]
    return Prepared(people.filter(pk__in=slots))


@cache
def _codes(kind: Question) -> Prepared[Any]:
    """Ask for the keys of each verdict together: ten thousand rows take longer."""
    rows = _with_verdict(_slots(kind)).order_by().values("verdict", "has_password")
    grouped = rows.annotate(keys=StringAgg(Cast("pk", TEXT), ","))
    return Prepared(grouped.values_list("verdict", "has_password", "keys"))


def _with_verdict(terms: Terms) -> QuerySet[Any]:
    everybody = _with_source(terms)
    people: QuerySet[Any] = everybody.annotate(
        exists=Exists(Mailbox.objects.present().filter(address=OuterRef("into"))),
        has_password=ExpressionWrapper(
            Q(stored_pk__isnull=False) & ~Q(stored__secret=""),
            output_field=BooleanField(),
        ),
    )
    found: QuerySet[Any] = people.annotate(
        verdict=Case(
            *(
                When(when, then=Value(code))
                for code, when in _conditions(terms, _claiming(everybody))
            ),
            When(exists=True, then=Value("exists")),
            default=Value("new"),
            output_field=TEXT,
        )
    )
    return found


def ready(campaign: Campaign, *, merges: bool = False) -> QuerySet[Any]:
    """Return those that can be launched; with `merges` also into shared mailboxes."""
    codes = FITTING | MERGING if merges else FITTING
    return with_verdict(campaign).filter(has_password=True, verdict__in=codes)


def _with_source(terms: Terms) -> QuerySet[Any]:
    """Annotate `into`, `domain`, `stored` and `source`: who signs in, written small.

    And `is_doubtful`: whether nobody vouches that this login belongs to the address,
    and `asks`: whether an administrator has to, before it is copied with.
    """
    stored = FilteredRelation(
        "submissions", condition=Q(submissions__state=Submission.State.RIGHT)
    )
    people = Participant.objects.present().filter(campaign=terms.campaign)
    return people.annotate(
        stored=stored,
        stored_pk=F("stored__pk"),
        is_doubtful=ExpressionWrapper(
            _UNVOUCHED & Q(stored__came_by=CameBy.SHARED), output_field=BooleanField()
        ),
        asks=ExpressionWrapper(
            _UNVOUCHED & ~Q(stored__secret=""), output_field=BooleanField()
        ),
        into=_into(terms),
        source=Lower(
            Coalesce(NullIf("stored__user", EMPTY), "address", output_field=TEXT)
        ),
    ).annotate(
        name_ends=StrIndex("into", Value("@")),
        domain=Func(
            "into", Value("@"), Value(2), function="split_part", output_field=TEXT
        ),
    )


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
    is_same = Q(source=Lower("job__source_user"))
    return [
        ("switched", _LAUNCHED & Q(asks=True) & ~is_same),
        ("launched", _LAUNCHED),
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


def claiming(campaign: Campaign) -> QuerySet[Any]:
    """Return those who would be copied: listed ones, and who handed over a password.

    Nobody may be in the way of others by writing an address like theirs into the form.
    """
    return _claiming(_with_source(_terms(campaign)))


def _claiming(everybody: QuerySet[Any]) -> QuerySet[Any]:
    real = Q(is_listed=True) | Q(stored_pk__isnull=False) | _LAUNCHED
    found: QuerySet[Any] = everybody.filter(real)
    return found


def _is_twice(everybody: QuerySet[Any]) -> Q:
    """Return who signs in like others.

    A password of one's own proves nothing about an address that is written beside it:
    who is doubtful stands back for the others, and never holds them back.
    """
    doubtful = Q(is_doubtful=True)
    certain = everybody.filter(~doubtful | _LAUNCHED)
    return Q(source__in=_several(certain, "source")) | (
        doubtful & Q(source__in=_several(everybody, "source"))
    )


def _is_shared(everybody: QuerySet[Any]) -> Q:
    """Return who goes where others go as well.

    Nor does who is doubtful hold others back here, unless they were listed, and go
    there with any login.
    """
    doubtful = Q(is_doubtful=True, is_listed=False)
    certain = everybody.filter(~doubtful | _LAUNCHED)
    return Q(into__in=_several(certain, "into"))


def _several(people: QuerySet[Any], column: str) -> QuerySet[Any]:
    """Return what more than one of these people has in `column`."""
    by_value = people.order_by().values(column)
    several: QuerySet[Any] = by_value.annotate(number=Count("pk")).filter(number__gt=1)
    return several.values(column)
