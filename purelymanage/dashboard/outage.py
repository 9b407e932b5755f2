"""What people are told where the panel broke, or its database does not answer.

Drawn without a request, as who asks may be what the database does not tell.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import psycopg
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string

from purelymanage.dashboard.health import PATHS
from purelymanage.database_watch import watch
from purelymanage.migrations.campaigns import gate
from purelymanage.migrations.campaigns.texts.form import Words
from purelymanage.migrations.campaigns.texts.saying import preferred_words
from purelymanage.migrations.campaigns.texts.words import words_of
from purelymanage.migrations.models import Campaign

# Seconds: a page may be late, but nobody waits for a database that is frozen.
PATIENCE = 3.0
AGAIN_AFTER = 10
WITHOUT_DATABASE = "database"
WITHOUT_ROOM = "room"
WELCOME = "/welcome/"


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
        page = _draw(request, "500.html")
        return HttpResponse(page, status=500, headers={"Cache-Control": "no-store"})
    if isinstance(error.__cause__, psycopg.errors.DiskFull):
        watch.note_full()
        return _sorry(request, WITHOUT_ROOM)
    watch.doubt()
    return _sorry(request, WITHOUT_DATABASE)


def words_for_owners(request: HttpRequest) -> Words | None:
    """Return the words where owners of mailboxes come, who know of no panel.

    Which language a campaign has stands in the database, so their browser is asked.
    """
    if request.path_info.startswith(gate.PREFIX):
        return preferred_words(request)
    if request.path_info.startswith(WELCOME):
        return words_of(Campaign.Language.ENGLISH)
    return None


def _sorry(request: HttpRequest, what: str) -> HttpResponse:
    # What was sent is not sent again by itself.
    again_after = AGAIN_AFTER if _is_read(request) else None
    page = _draw(request, "503.html", what=what, again_after=again_after)
    headers = {"Retry-After": str(AGAIN_AFTER), "Cache-Control": "no-store"}
    return HttpResponse(page, status=503, headers=headers)


def _draw(request: HttpRequest, template: str, **context: Any) -> str:
    words, is_read = words_for_owners(request), _is_read(request)
    context |= {"csp_nonce": getattr(request, "csp_nonce", ""), "is_read": is_read}
    if words is not None:
        text = words.down if is_read else words.down_sent
        context |= {"words": words, "title": words.down_title, "text": text}
    return render_to_string(template, context)


def _is_read(request: HttpRequest) -> bool:
    return request.method in {"GET", "HEAD"}
