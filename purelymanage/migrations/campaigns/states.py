"""How far each person of a campaign is, computed by the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
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


@dataclass(frozen=True, slots=True)
class PersonState:
    code: str
    label: str
    tone: str
    when: Q | Exists


def _has(*states: Submission.State, unused: bool = False) -> Exists:
    mine = Submission.objects.filter(participant=OuterRef("pk"), state__in=states)
    return Exists(mine.exclude(secret="") if unused else mine)


_State = Submission.State
_FINISHED = Run.objects.filter(
    job=OuterRef("job"), is_newest=True, dry_run=False, state=Run.State.DONE
)
# The first whose condition holds is the one.
STATES = (
    PersonState("complete", "Complete", "good", Exists(_FINISHED)),
    PersonState("launched", "Being copied", "running", HAS_COPY),
    PersonState("ready", "Password right", "good", _has(_State.RIGHT, unused=True)),
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
    PersonState("used", "Copy removed", "attention", _has(_State.RIGHT)),
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
    return people.annotate(
        state=Case(
            *(When(it.when, then=Value(it.code)) for it in STATES[:-1]),
            default=Value(STATES[-1].code),
            output_field=CharField(),
        )
    )


def counts_of(people: ParticipantQuerySet) -> dict[str, int]:
    """Return how many people are in each state that somebody is in."""
    found = with_state(people).order_by().values("state")
    rows = found.annotate(number=Count("pk"))
    return {it["state"]: it["number"] for it in rows}


@dataclass(frozen=True, slots=True)
class PeopleFilter(StateFilter):
    """Which people of a campaign somebody asks for."""

    known = BY_CODE.keys()
    columns = ("address", "name", "destination")

    def narrow(self, people: ParticipantQuerySet) -> QuerySet[Any]:
        """Return what it finds, with the state of each."""
        return self.narrow_stated(with_state(people))


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


def rows_of(campaign: Campaign, people: Sequence[Any]) -> list[PersonRow]:
    """Return rows for people `with_state`."""
    for person in people:
        person.campaign = campaign
    return [PersonRow(it, BY_CODE[it.state]) for it in people]
