from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import reswap, retarget

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.audit.history import history_of
from purelymanage.deletions.models import Kind, PendingDeletion
from purelymanage.domains import operations
from purelymanage.domains.dns.health import judge
from purelymanage.domains.dns.observations import Observation
from purelymanage.domains.models import Addition, Change, Domain, OwnershipCode
from purelymanage.domains.presentation.checklist import steps_for
from purelymanage.domains.presentation.records import Records, records_of
from purelymanage.domains.presentation.rows import is_overdue, row_of
from purelymanage.domains.presentation.witnesses import witnesses_of
from purelymanage.domains.related import counts_of, is_moving
from purelymanage.errors import Refused
from purelymanage.http import asked, page_or_partial
from purelymanage.purelymail.errors import Unavailable

CHANGES = 10
# For so long what was added here is told what comes next.
NEW_FOR = timedelta(days=30)


@require_safe
@requires(Right.SEE_DOMAINS)
def domain_detail(request: AuthenticatedHttpRequest, name: str) -> HttpResponse:
    domain = domain_or_404(name, request.user)
    if request.htmx and asked(request, "editing"):
        return HttpResponse(status=204)  # what somebody is deciding on stays
    context = domain_context(domain, request.user)
    return page_or_partial(request, "domains/domain_detail.html", context)


@never_cache
@require_safe
@requires(Right.SEE_DOMAINS)
def look_state(request: AuthenticatedHttpRequest, name: str) -> HttpResponse:
    """Answer the line that says when was looked; the page follows what is new."""
    domain = domain_or_404(name, request.user)
    if not request.htmx:
        return redirect(url_of(domain))
    response = render(request, "domains/_looked.html", look_context(domain))
    if asked(request, "seen") != look_mark(domain):
        response["HX-Trigger"] = "looked"
    return response


@require_POST
@requires(Right.SEE_DOMAINS)
def check_domain(request: AuthenticatedHttpRequest, name: str) -> HttpResponse:
    domain = domain_or_404(name, request.user)
    try:
        operations.check_now(
            domains=Domain.objects.filter(pk=domain.pk), actor=request.user
        )
    except Refused as exc:
        return show_refused(request, domain, place="looked", error=exc)
    return show_changed(request, domain)


@require_POST
@requires(Right.MANAGE)
def recheck_domain(request: AuthenticatedHttpRequest, name: str) -> HttpResponse:
    """Make PurelyMail look again, whose verdict is another one than ours."""
    domain = domain_or_404(name, request.user)
    try:
        disputed = operations.recheck(domain=domain, actor=request.user)
    except Refused as exc:
        return show_refused(request, domain, place="witnesses", error=exc)
    done = (
        "PurelyMail has looked again and still says something else. It is asked once "
        "more by itself."
        if disputed
        else "PurelyMail has looked again and agrees now."
    )
    return show_changed(request, domain, place="witnesses", done=done)


def domain_or_404(name: str, user: User) -> Domain:
    """Return a domain this person may see, with its health and its deletion."""
    domains = Domain.objects.visible_to(user).with_deletion().with_health()
    return get_object_or_404(domains, name=name.lower().replace("\0", ""))


def url_of(domain: Domain) -> str:
    return reverse("domains:domain-detail", args=[domain.name])


def look_mark(domain: Domain) -> str:
    """Return a sign of what was seen last, for pages to come back with."""
    health = domain.seen
    return health.looked_at.isoformat() if health and health.looked_at else "never"


def look_context(domain: Domain) -> dict[str, Any]:
    health = getattr(domain, "health", None)
    now = timezone.now()
    return {
        "domain": domain,
        "health": health,
        "row": row_of(domain),
        "look_mark": look_mark(domain),
        "is_overdue": is_overdue(health),
        "is_touched": health is not None and health.is_touched(now),
    }


def domain_context(domain: Domain, user: User) -> dict[str, Any]:
    """Return what the sections of the page need. Frozen domains offer nothing."""
    deletion = PendingDeletion.objects.on(Kind.DOMAIN, domain.name, domain.name).first()
    is_own = not domain.gone_at and not domain.is_shared
    is_open = is_own and deletion is None
    counts = counts_of(domain.name, user)
    records = read_records(domain)
    changes = list(Change.objects.of(domain).newest_first()[: CHANGES + 1])
    return {
        **look_context(domain),
        "url": url_of(domain),
        "is_own": is_own,
        "deletion": deletion,
        "counts": counts,
        "records": records,
        "steps": steps_for(domain, records, counts, was_added=_was_added(domain))
        if is_open
        else [],
        "witnesses": witnesses_of(domain, domain.seen),
        "changes": changes[:CHANGES],
        "has_more_changes": len(changes) > CHANGES,
        "history": history_of(domain.name, user),
        "may_check": is_own,
        "may_manage": is_open and user.may(Right.MANAGE),
        "may_delete": is_open and user.may(Right.DELETE),
        "may_cancel": user.may(Right.DELETE),
    }


def read_records(domain: Domain) -> Records:
    """Judge what was last seen of a domain, anew and with what is planned for it."""
    seen = domain.seen
    observation = (
        Observation.from_json(seen.observation)
        if seen and seen.observation
        else Observation(domain.name)
    )
    judged = judge(
        observation,
        ownership_code=OwnershipCode.objects.current(),
        is_moving=is_moving(domain.name),
    )
    return records_of(observation, judged)


def show_changed(
    request: AuthenticatedHttpRequest,
    domain: Domain,
    *,
    place: str = "",
    done: str = "",
) -> HttpResponse:
    """Show the domain as it has become, and say at its `place` what was done."""
    if not request.htmx:
        if done:
            messages.success(request, done)
        return redirect(f"{url_of(domain)}#{place}" if place else url_of(domain))
    domain = domain_or_404(domain.name, request.user)
    context = domain_context(domain, request.user) | {"place": place, "done": done}
    response = render(request, "domains/_domain_detail.html", context)
    return retarget(reswap(response, "outerHTML"), "#domain-detail")


def show_refused(
    request: AuthenticatedHttpRequest, domain: Domain, *, place: str, error: Refused
) -> HttpResponse:
    """Show the page with the reason, at the `place` where it was asked for."""
    if not request.htmx:
        messages.error(request, str(error))
        return redirect(f"{url_of(domain)}#{place}")
    domain = domain_or_404(domain.name, request.user)
    context = domain_context(domain, request.user)
    context |= {"place": place, "refusal": str(error)}
    response = render(
        request, "domains/_domain_detail.html", context, status=status_of(error)
    )
    return retarget(reswap(response, "outerHTML"), "#domain-detail")


def status_of(error: Refused) -> int:
    """Return how a refusal is answered: an outage is nobody's mistake."""
    return 502 if isinstance(error.__cause__, Unavailable) else 422


def _was_added(domain: Domain) -> bool:
    return Addition.objects.filter(
        name=domain.name,
        state=Addition.State.ADDED,
        settled_at__gte=timezone.now() - NEW_FOR,
    ).exists()
