from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.http import (
    asked,
    has_seen,
    mark_of,
    news_elsewhere,
    no_news,
    page_or_partial,
    passing_time,
)
from purelymanage.migrations import overview
from purelymanage.migrations.happenings import mark_of_all
from purelymanage.migrations.models import QueueRules
from purelymanage.migrations.presentation import RunView
from purelymanage.migrations.views.queue import queue_controls

PER_PAGE = 50
LONGEST_SEARCH = 200


@require_safe
@requires(Right.SEE_MIGRATIONS)
def job_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    user, words = request.user, _words(request)
    # The mark first: what happens in between is news to the page.
    mark = mark_of_all(user)
    state = asked(request, "state")
    state = state if state in overview.ENDS else ""
    runs = overview.newest(user, words)
    page = Paginator(overview.ended(runs, state), PER_PAGE).get_page(
        asked(request, "page")
    )
    running = overview.running(user, words)
    context: dict[str, Any] = {} if request.htmx else queue_controls(user)
    rules = context.get("rules") or QueueRules.objects.present()
    is_first = not words and not state and page.number == 1
    waiting = overview.waiting(runs, rules)
    batches = overview.batches(user) if is_first else []
    found = bool(running or waiting.number or page or batches)
    context |= {
        **_those_that_run(running),
        "waiting": waiting,
        "batches": batches,
        "ended": [RunView(run) for run in page],
        # Only where there are some is there something to filter.
        "has_copies": found or bool(words or state),
        "page": page,
        "q": words,
        "state": state,
        "ends": [(code, words) for code, (words, _) in overview.ENDS.items()],
        "mark": mark,
        "may_change": user.may(Right.MANAGE),
    }
    return page_or_partial(request, "migrations/job_list.html", context)


@require_safe
@requires(Right.SEE_MIGRATIONS)
def list_progress(request: AuthenticatedHttpRequest) -> HttpResponse:
    """The copies that run; all is asked for again when others begin or end."""
    mark = mark_of_all(request.user)
    if not has_seen(request, mark):
        return news_elsewhere()
    words = _words(request)
    running = overview.running(request.user, words)
    seen = mark_of([it.seen for it in running], passing_time())
    if has_seen(request, seen, "seen"):
        return no_news()
    context: dict[str, Any] = {"q": words, "mark": mark, "seen": seen, "is_live": True}
    context |= _those_that_run(running)
    return render(request, "migrations/_running.html", context)


def _those_that_run(views: list[RunView]) -> dict[str, Any]:
    most = overview.MOST_RUNNING
    return {"running": views[:most], "more_run": len(views) > most}


def _words(request: AuthenticatedHttpRequest) -> str:
    return asked(request, "q")[:LONGEST_SEARCH]
