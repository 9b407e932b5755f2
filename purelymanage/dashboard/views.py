from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from purelymanage.accounts.models import User, organisation_of
from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.audit.events import Event
from purelymanage.audit.models import Entry
from purelymanage.audit.panel_events import PanelEvent
from purelymanage.dashboard.credit import credit
from purelymanage.dashboard.domains import SHOWN, domains_of
from purelymanage.dashboard.findings import findings
from purelymanage.dashboard.setup.steps import is_asked
from purelymanage.domains.models import SyncRun
from purelymanage.http import has_seen, mark_of, no_news, page_or_partial
from purelymanage.mailboxes.models import Mailbox
from purelymanage.migrations.models import Run
from purelymanage.migrations.overview import open_ones
from purelymanage.routing.models import Rule

COMING_AND_GOING = [
    Event.SIGNED_IN,
    Event.SIGNED_OUT,
    Event.SIGN_IN_FAILED,
    Event.SYNC_REQUESTED,
    PanelEvent.SESSION_IDLE,
]


@require_safe
def dashboard(request: AuthenticatedHttpRequest) -> HttpResponse:
    user = request.user
    freshness = SyncRun.objects.freshness()
    is_setting_up = is_asked(user)
    if is_setting_up and not freshness.synced_at:
        return redirect("setup")  # there is nothing to see here yet
    # The credit is the whole account's, so people limited to some domains don't see it.
    sees_account = user.may(Right.SEE_DOMAINS) and user.domain_scope is None
    money = credit(organisation_of(request)) if sees_account else None
    domains = domains_of(user) if user.may(Right.SEE_DOMAINS) else None
    found = findings(user, freshness=freshness, credit=money, domains=domains)
    context: dict[str, Any] = {
        "freshness": freshness,
        "findings": found,
        "is_setting_up": is_setting_up,
        "credit": money,
        "domains": domains,
        "sees_account": sees_account,
        "warning_at": organisation_of(request).credit_attention,
        "may_create": user.may(Right.HANDLE_MAILBOXES),
    }
    if user.may(Right.SEE_MAILBOXES):
        context["mailbox_count"] = Mailbox.objects.visible_to(user).present().count()
    if user.may(Right.SEE_ROUTING):
        context["rule_count"] = Rule.objects.visible_to(user).present().count()
    if user.may(Right.SEE_MIGRATIONS):
        context |= _copies(user)
    if user.may(Right.SEE_AUDIT):
        context["entries"] = _changes(user)
    return page_or_partial(request, "dashboard/dashboard.html", context)


@never_cache
@require_safe
@requires(Right.SEE_MIGRATIONS)
def running_copies(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Answer the panel of running copies, which asks for itself while there are any."""
    copies = _copies(request.user)
    if copies["runs"] and has_seen(request, copies["mark"]):
        return no_news()
    return render(request, "dashboard/_running_copies.html", copies)


def _copies(user: User) -> dict[str, Any]:
    views = open_ones(user, SHOWN + 1)
    runs = views[:SHOWN]
    return {
        "sees_copies": True,
        "runs": [(view.run, view.percent) for view in runs],
        "more_runs": len(views) > SHOWN,
        "mark": mark_of([view.seen for view in views]),
        "finished_runs": [] if runs else _finished(user),
    }


def _finished(user: User) -> QuerySet[Run]:
    """Return the last copies and plans that ended well."""
    newest = Run.objects.visible_to(user).newest_of_jobs()
    found = newest.filter(state=Run.State.DONE).select_related("job")
    return found.order_by("-finished_at")[:4]


def _changes(user: User) -> list[Entry]:
    """Return the newest entries that are about more than somebody coming and going."""
    entries = Entry.objects.visible_to(user).exclude(event__in=COMING_AND_GOING)
    return list(entries.order_by("-recorded_at", "-id")[:SHOWN])
