"""What people are told while the database does not answer, or takes nothing more."""

from __future__ import annotations

import sys
from collections.abc import Callable

import psycopg
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.views.defaults import server_error

from purelymanage.dashboard.health import PATHS
from purelymanage.database_watch import watch

# Seconds: a page may be late, but nobody waits for a database that is frozen.
PATIENCE = 3.0
AGAIN_AFTER = 10
WITHOUT_DATABASE = "database"
WITHOUT_ROOM = "room"


class OutageMiddleware:
    """Turn people away at once where the database would keep them waiting."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info in PATHS or watch.answers(PATIENCE):
            return self.get_response(request)
        return _sorry(request, WITHOUT_DATABASE)


def broken(request: HttpRequest) -> HttpResponse:
    """Answer where a page broke; what is the database's fault passes by itself."""
    error = sys.exc_info()[1]
    if not isinstance(error, OperationalError | InterfaceError):
        return server_error(request)
    if isinstance(error.__cause__, psycopg.errors.DiskFull):
        watch.note_full()
        return _sorry(request, WITHOUT_ROOM)
    watch.doubt()
    return _sorry(request, WITHOUT_DATABASE)


def _sorry(request: HttpRequest, what: str) -> HttpResponse:
    # What was sent is not sent again by itself.
    is_read = request.method in {"GET", "HEAD"}
    context = {"what": what, "again_after": AGAIN_AFTER if is_read else None}
    headers = {"Retry-After": str(AGAIN_AFTER), "Cache-Control": "no-store"}
    # Drawn without a request, as who asks may be what the database does not tell.
    page = render_to_string("503.html", context)
    return HttpResponse(page, status=503, headers=headers)
