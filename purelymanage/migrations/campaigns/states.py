"""How far each person of a campaign is, computed by the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)

from purelymanage.audit.models import OutgoingMail
from purelymanage.migrations.campaigns.menus import menu_of
from purelymanage.migrations.campaigns.rules import destination_of
from purelymanage.migrations.models import Campaign, Participant, Run, Submission
from purelymanage.migrations.models.participants import (
    HAS_COPY,
    ParticipantQuerySet,
)
from purelymanage.migrations.state_lists import StateFilter
from purelymanage.prepared import Prepared, Slot, for_keys, key_slots

A_PAGE = 50  # people
# What a page shows of somebody.
SHOWN = [
    *("campaign", "address", "name", "destination", "is_listed", "mail_due"),
    *("invited_at", "reminded_at", "opened_at", "refused_at", "submitted_at"),
    *("withdrawn_at", "mail__state", "mail__last_error", "job__removed_at"),
]


@dataclass(frozen=True, slots=True)
class PersonState:
    code: str
    label: str
    tone: str
    when: Q | Exists


def _has(*states: Submission.State) -> Exists:
    mine = Submission.objects.filter(participant=OuterRef("pk"), state__in=states)
    return Exists(mine)


_State = Submission.State
# Where nobody has a copy, nobody looks through all runs.
_ENDED = Run.objects.filter(
    job=OuterRef("job"), is_newest=True, dry_run=False, state=Run.State.DONE
)
_FINISHED = Q(job__isnull=False) & Q(Exists(_ENDED))
# There is one at most for each.
_RIGHT = Q(stored__isnull=False)
# The first whose condition holds is the one.
STATES = (
    PersonState("complete", "Complete", "good", _FINISHED),
    PersonState("launched", "Being copied", "running", HAS_COPY),
    PersonState("ready", "Password right", "good", _RIGHT & ~Q(stored__secret="")),
    PersonState(
        "untried",
        "Password not tried yet",
        "waiting",
        _has(_State.WAITING, _State.TRYING),
    ),
    PersonState("refused", "Password refused", "broken", Q(refused_at__isnull=False)),
    PersonState(
        "unanswered", "Server never answered", "broken", _has(_State.UNANSWERED)
    ),
    # It was copied with, and there is no such copy any more.
    PersonState("used", "Copy removed", "attention", _RIGHT),
    PersonState("withdrawn", "Withdrawn", "attention", Q(withdrawn_at__isnull=False)),
    PersonState("opened", "Link opened", "waiting", Q(opened_at__isnull=False)),
    PersonState(
        "bounced", "Mail refused", "broken", Q(mail__state=OutgoingMail.State.FAILED)
    ),
    PersonState("invited", "Invited", "waiting", Q(invited_at__isnull=False)),
    PersonState(
        "inviting",
        "Invitation on its way",
        "waiting",
        Q(mail_due=Participant.Mail.INVITATION),
    ),
    PersonState("listed", "Not invited", "waiting", Q()),
)
BY_CODE = {it.code: it for it in STATES}


def with_state(people: ParticipantQuerySet) -> QuerySet[Any]:
    """Annotate `state`, the code of a `PersonState`."""
    stored = FilteredRelation(
        "submissions", condition=Q(submissions__state=_State.RIGHT)
    )
    return people.annotate(stored=stored).annotate(
        state=Case(
            *(When(it.when, then=Value(it.code)) for it in STATES[:-1]),
            default=Value(STATES[-1].code),
            output_field=CharField(),
        )
    )


def counted(people: ParticipantQuerySet, **those: Q) -> QuerySet[Any]:
    """Return how many are in each state that somebody is in, and of these how many
    are like `those`."""
    groups = with_state(people).order_by().values("state")
    numbers = {name: Count("pk", filter=like) for name, like in those.items()}
    found: QuerySet[Any] = groups.annotate(number=Count("pk"), **numbers)
    return found


@dataclass(frozen=True, slots=True)
class PeopleFilter(StateFilter):
    """Which people of a campaign somebody asks for."""

    known = BY_CODE.keys()
    columns = ("address", "name", "destination")

    def narrow(self, people: ParticipantQuerySet) -> QuerySet[Any]:
        """Return whom it finds."""
        return self.narrow_stated(with_state(people) if self.state else people)


@dataclass(frozen=True)
class PersonRow:
    """One line of the table."""

    person: Any  # a Participant with its state
    state: PersonState

    @property
    def destination(self) -> str:
        return destination_of(self.person)

    @property
    def menu(self) -> str:
        return menu_of(self.person.campaign, self.person)

    @property
    def since(self) -> datetime | None:
        """When somebody last did something, or was written to."""
        person = self.person
        dates = {
            "ready": person.submitted_at,
            "refused": person.refused_at,
            "withdrawn": person.withdrawn_at,
            "opened": person.opened_at,
            "invited": person.reminded_at or person.invited_at,
        }
        found: datetime | None = dates.get(self.state.code)
        return found

    @property
    def words(self) -> str:
        """What there is to say beside the state."""
        mail = self.person.mail
        if mail is not None and mail.state == OutgoingMail.State.FAILED:
            return "The last mail did not arrive."
        return ""

    @property
    def technical(self) -> str:
        """What a mail server said to that."""
        return self.person.mail.last_error if self.words else ""


def some_of(campaign: Campaign, keys: Sequence[int]) -> list[Any]:
    """Return these few people of a campaign, with their states."""
    return _some().ask(campaign=campaign.pk, **for_keys(keys, A_PAGE))


@cache
def _some() -> Prepared[Any]:
    keys = key_slots(A_PAGE)
    people = Participant.objects.filter(campaign=Slot("campaign"), pk__in=keys)
    found = with_state(people).select_related("mail", "job").only(*SHOWN)
    return Prepared(found.order_by("address", "pk"))


def rows_of(campaign: Campaign, people: Sequence[Any]) -> list[PersonRow]:
    """Return rows for people `with_state`."""
    for person in people:
        person.campaign = campaign
    return [PersonRow(it, BY_CODE[it.state]) for it in people]
