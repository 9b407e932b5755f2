"""Sessions that are read together with whose they are, in one look at the database.

Each request asks what its cookie stands for, whether that session was ended, who the
person is, and whether they lack a second factor. Nothing is kept for the next one.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, Subquery
from django.utils import timezone

from purelymanage.accounts.models import Organisation, PersonSession, User
from purelymanage.accounts.models.organisation import PK
from purelymanage.accounts.security.factors import FACTORS
from purelymanage.prepared import Prepared, Slot


@dataclass(frozen=True, slots=True)
class Arrival:
    """What was read together with a session, at the beginning of a request."""

    row: PersonSession
    second_factor_required_since: datetime | None
    has_second_factor: bool


class SessionStore(db.SessionStore):
    """Django's, apart from how it is read. `arrival` is None where no row has its key.

    That is with strangers, and at the first request after Django gave out a new key.
    """

    arrival: Arrival | None = None
    _person: User | None = None

    def take_person(self, pk: object) -> User | None:
        """Return the person that came with the session, once and only if it is `pk`."""
        person, self._person = self._person, None
        return person if person is not None and person.pk == pk else None

    def _get_session_from_db(self) -> Session | None:
        row = _arrivals().first(key=self.session_key, now=timezone.now())
        if row is None or row.data is None:
            found: Session | None = super()._get_session_from_db()  # type: ignore[misc]  # not in the stubs
            return found
        self.arrival = Arrival(row, row.since, row.has_factor)
        self._person = row.user
        return Session(session_key=row.session_key, session_data=row.data)


@cache
def _arrivals() -> Prepared[Any]:
    """Return the question each request begins with."""
    rows = PersonSession.objects.filter(session_key=Slot("key"), ended_at=None)
    alive = Session.objects.filter(
        session_key=OuterRef("session_key"), expire_date__gt=Slot("now")
    )
    present = Organisation.objects.filter(pk=PK)
    factors = Authenticator.objects.filter(user=OuterRef("user"), type__in=FACTORS)
    return Prepared(
        rows.select_related("user").annotate(
            data=Subquery(alive.values("session_data")),
            since=Subquery(present.values("second_factor_required_since")),
            has_factor=Exists(factors),
        )
    )


# The session of the request at hand: who looks a person up is told nothing but an id.
session_at_hand: ContextVar[SessionBase | None] = ContextVar(
    "session_at_hand", default=None
)
