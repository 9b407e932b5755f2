from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from purelymanage.accounts import sessions
from purelymanage.accounts.models import User, organisation_of
from purelymanage.accounts.security.factors import has_second_factor, second_factor_due

# What stays open for somebody whose time to set up a second factor is over.
SET_UP = {
    "mfa_index",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "account_reauthenticate",
}


class PersonSessionMiddleware:
    """Forget who somebody is once their session is over, and note what they do in it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            arrival = sessions.arrival_of(request)
            session = arrival.row if arrival else sessions.present_session(request)
            if session is not None and session.is_idle:
                sessions.end_idle_session(session=session)
                # They may have come back in another tab just now.
                session = sessions.present_session(request)
                request.was_idle = session is None  # type: ignore[attr-defined]
            if session is None:
                request.session.flush()
                request.user = AnonymousUser()
            else:
                sessions.note_visit(session=session, request=request)
        return self.get_response(request)


class SecondFactorMiddleware:
    """Open nothing but the set-up page to people who should have a second factor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user = request.user
        due = None
        if isinstance(user, User):
            due = _second_factor_due(request, user)
        if due is not None:
            notice = SecondFactorNotice(due)
            request.second_factor = notice  # type: ignore[attr-defined]  # for pages
            if notice.is_overdue and not _stays_open(request.path_info):
                url = reverse("mfa_index")
                htmx = getattr(request, "htmx", None)
                redirect = HttpResponseClientRedirect if htmx else HttpResponseRedirect
                return redirect(url)
        return self.get_response(request)


def _second_factor_due(request: HttpRequest, user: User) -> datetime | None:
    if arrival := sessions.arrival_of(request):
        since = arrival.second_factor_required_since
        return second_factor_due(user, since=since, is_set_up=arrival.has_second_factor)
    since = organisation_of(request).second_factor_required_since
    # Looked for only where somebody asks for it.
    is_set_up = since is not None and has_second_factor(user)
    return second_factor_due(user, since=since, is_set_up=is_set_up)


def _stays_open(path: str) -> bool:
    """Tell whether a page is for setting up, or open to strangers as well."""
    try:
        match = resolve(path)
    except Resolver404:
        return False
    return match.view_name in SET_UP or not getattr(match.func, "login_required", True)


class SecondFactorNotice:
    """What the pages say to somebody who still has to set one up."""

    def __init__(self, due: datetime) -> None:
        self.due = due
        self.is_overdue = due <= timezone.now()
