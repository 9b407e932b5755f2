"""Who is signed in where, and how they are thrown out."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.accounts.models.sessions import (
    NOTED_EVERY,
    PersonSession,
    longest_idle,
)
from purelymanage.accounts.session_store import Arrival
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.log import Actor, remote_address
from purelymanage.audit.models import Agent
from purelymanage.audit.panel_events import PanelEvent
from purelymanage.errors import Refused
from purelymanage.http import HtmxHttpRequest, wants_fragment

# What a browser's own session says about its row.
MARK = "person_session"
REMEMBERED = timedelta(days=30)


def start_session(*, request: HttpRequest, user: User) -> PersonSession:
    """Remember that `user` signed in with this browser."""
    key = request.session.session_key
    # Somebody who signs in twice in one browser would keep the key of the first time.
    if key is None or PersonSession.objects.filter(session_key=key).exists():
        request.session.cycle_key()
    session = PersonSession.objects.create(
        user=user,
        session_key=request.session.session_key or "",
        address=remote_address.get(),
        user_agent=_user_agent(request),
        seen_at=timezone.now(),
    )
    request.session[MARK] = session.pk
    return session


def present_session(request: HttpRequest) -> PersonSession | None:
    """Return the open row of this request's browser, or None if it was ended."""
    mark, person = request.session.get(MARK), request.user.pk
    if mark is None or person is None:
        return None
    open_rows = PersonSession.objects.filter(pk=mark, user_id=person, ended_at=None)
    return open_rows.first()


def arrival_of(request: HttpRequest) -> Arrival | None:
    """Return what was read together with the session, if it is about who is asking."""
    arrival: Arrival | None = getattr(request.session, "arrival", None)
    if arrival is None:
        return None
    known = arrival.row.pk, arrival.row.user_id
    asking = request.session.get(MARK), request.user.pk
    return arrival if known == asking else None


def note_visit(*, session: PersonSession, request: HttpRequest) -> None:
    """Write when and from where its person was seen, at most once a minute."""
    now = timezone.now()
    key = request.session.session_key
    row = PersonSession.objects.filter(pk=session.pk, ended_at=None)
    if is_by_person(request) and session.seen_at <= now - NOTED_EVERY:
        row.update(
            session_key=key,
            seen_at=now,
            address=remote_address.get(),
            user_agent=_user_agent(request),
        )
    elif session.session_key != key:
        row.update(session_key=key)


def is_by_person(request: HttpRequest) -> bool:
    """Tell whether somebody did something, which is more than to leave a page open.

    Live pages ask for their parts again and again. Filters do so as well while somebody
    types, but nobody does that for hours without opening anything.
    """
    if request.method not in {"GET", "HEAD"}:
        return True
    return not wants_fragment(cast(HtmxHttpRequest, request))


@transaction.atomic(durable=True)
def end_idle_session(*, session: PersonSession) -> None:
    """End what its person has left alone for too long, unless they have come back."""
    idle = PersonSession.objects.filter(
        pk=session.pk, ended_at=None, seen_at__lt=timezone.now() - longest_idle()
    )
    if not idle.update(ended_at=timezone.now()):
        return
    Session.objects.filter(session_key=session.session_key).delete()
    log.record(
        PanelEvent.SESSION_IDLE,
        actor=Agent.PANEL,
        target=session.user.email,
        device=session.device,
        hours=str(settings.SESSION_IDLE_HOURS),
    )


@transaction.atomic(durable=True)
def end_session(*, session: PersonSession, actor: Actor) -> None:
    """Throw one browser out; it notices at its next request."""
    if not _end(session, actor=actor):
        raise Refused("This session had ended already.")


@transaction.atomic
def end_all_sessions(*, user: User, actor: Actor, except_key: str | None = None) -> int:
    """Throw a person out everywhere, but for the browser with the key `except_key`.

    May be part of a larger change, such as switching somebody's access off.
    """
    left = PersonSession.objects.filter(user=user, ended_at=None)
    left = left.exclude(session_key=except_key or "")
    # The rows first and the audit log last, as everybody does who ends one of them.
    keys = [row.session_key for row in left.select_for_update().order_by("pk")]
    # Whatever is too old to be let in is swept up quietly.
    ended = list(PersonSession.objects.open().filter(session_key__in=keys))
    left.update(ended_at=timezone.now())
    Session.objects.filter(session_key__in=keys).delete()
    log.record_many(
        [
            log.note(
                Event.SESSION_ENDED,
                actor=actor,
                target=user.email,
                device=session.device,
            )
            for session in ended
        ]
    )
    return len(ended)


def close_session(*, request: HttpRequest) -> None:
    """Settle the row of somebody who signs out by themselves."""
    session = present_session(request)
    if session:
        PersonSession.objects.filter(pk=session.pk, ended_at=None).update(
            ended_at=timezone.now()
        )


def forget_old_sessions() -> int:
    """Drop rows of sessions that ended long ago or were left to run out."""
    limit = timezone.now() - REMEMBERED
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    over = Q(ended_at__lt=limit) | Q(ended_at=None, seen_at__lt=limit)
    alive = PersonSession.objects.open().values("pk")
    return PersonSession.objects.filter(over).exclude(pk__in=alive).delete()[0]


def _end(session: PersonSession, *, actor: Actor) -> bool:
    """Settle a row and drop what the browser's cookie stands for."""
    row = PersonSession.objects.filter(pk=session.pk, ended_at=None)
    if not row.update(ended_at=timezone.now()):
        return False
    Session.objects.filter(session_key=session.session_key).delete()
    log.record(
        Event.SESSION_ENDED,
        actor=actor,
        target=session.user.email,
        device=session.device,
    )
    return True


def _user_agent(request: HttpRequest) -> str:
    return request.headers.get("User-Agent", "").replace("\0", "")[:300]
