from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from purelymanage.accounts import sessions
from purelymanage.accounts.models import PersonSession, User
from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.accounts.security import operations
from purelymanage.accounts.security.factors import has_second_factor
from purelymanage.accounts.security.proof import fresh_proof_required
from purelymanage.errors import Refused
from purelymanage.http import page_or_partial


@require_safe
def session_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    return _session_list(request, request.user)


@require_safe
@requires(Right.MANAGE_PEOPLE)
def person_session_list(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    if person == request.user:
        return redirect("security:session-list")
    return _session_list(request, person)


@require_POST
def end_session(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    visible = PersonSession.objects.visible_to(request.user).select_related("user")
    session = get_object_or_404(visible, pk=pk)
    if session.user == request.user:
        return _end_session(request, session)
    return _end_session_of_another(request, session)


def _end_session(
    request: AuthenticatedHttpRequest, session: PersonSession
) -> HttpResponse:
    try:
        sessions.end_session(session=session, actor=request.user)
    except Refused as exc:
        _say(request, messages.WARNING, str(exc))
    else:
        _say(
            request,
            messages.SUCCESS,
            f"{session.device} is signed out. It notices at its next click.",
        )
    return _back(request, session.user)


_end_session_of_another = fresh_proof_required(_end_session)


@require_POST
def end_other_sessions(request: AuthenticatedHttpRequest) -> HttpResponse:
    ended = sessions.end_all_sessions(
        user=request.user,
        actor=request.user,
        except_key=request.session.session_key,
    )
    _say(request, messages.SUCCESS, _ended(ended))
    return _back(request, request.user)


@require_POST
@requires(Right.MANAGE_PEOPLE)
@fresh_proof_required
def end_person_sessions(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    ended = sessions.end_all_sessions(
        user=person, actor=request.user, except_key=request.session.session_key
    )
    _say(request, messages.SUCCESS, _ended(ended))
    return _back(request, person)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE_PEOPLE)
@fresh_proof_required
def remove_second_factors(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    if request.method == "POST":
        try:
            operations.remove_second_factors(user=person, actor=request.user)
        except Refused as exc:
            messages.warning(request, str(exc))
        else:
            messages.success(
                request, f"{person} can sign in with the password alone now."
            )
        return redirect("security:person-session-list", pk)
    return page_or_partial(
        request, "security/remove_second_factors.html", {"person": person}
    )


def _session_list(request: AuthenticatedHttpRequest, person: User) -> HttpResponse:
    present = sessions.present_session(request)
    rows = PersonSession.objects.open().filter(user=person)
    return page_or_partial(
        request,
        "security/session_list.html",
        {
            "person": person,
            "is_own": person == request.user,
            "sessions": sorted(
                rows, key=lambda row: (row == present, row.seen_at), reverse=True
            ),
            "present": present,
            "has_second_factor": has_second_factor(person),
            "idle_hours": settings.SESSION_IDLE_HOURS,
        },
    )


def _back(request: AuthenticatedHttpRequest, person: User) -> HttpResponse:
    if request.htmx:
        return _session_list(request, person)
    if person == request.user:
        return redirect("security:session-list")
    return redirect("security:person-session-list", person.pk)


def _say(request: AuthenticatedHttpRequest, level: int, text: str) -> None:
    # The list that htmx gets instead says it by being shorter.
    if not request.htmx:
        messages.add_message(request, level, text)


def _ended(count: int) -> str:
    if not count:
        return "There was no other session."
    return f"{count} session{'s' if count > 1 else ''} ended."
