from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from purelymanage.accounts.models import User
from purelymanage.accounts.operations.preferences import remember
from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.domains.models import Domain
from purelymanage.http import asked, page_or_partial
from purelymanage.mailboxes import exports
from purelymanage.mailboxes.addresses import object_to_local_part
from purelymanage.mailboxes.columns import COLUMNS, PREFERENCE, columns_of, known
from purelymanage.mailboxes.filters import (
    IN_PANEL,
    SIGNING_IN,
    TWO_FACTOR,
    MailboxFilter,
    Pairs,
)
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.models.mailboxes import MailboxQuerySet
from purelymanage.mailboxes.operations.exports import note_export
from purelymanage.sheets import writing

PER_PAGE = 50
# Each the exact reverse of its opposite, so that one index serves both.
SORTS = {
    "address": ["address"],
    "-address": ["-address"],
    "domain": ["domain", "address"],
    "-domain": ["-domain", "-address"],
    "added": ["first_seen_at", "address"],
    "-added": ["-first_seen_at", "-address"],
}
ORDERS = [
    ("address", "Address, A to Z"),
    ("-address", "Address, Z to A"),
    ("domain", "Domain, A to Z"),
    ("-domain", "Domain, Z to A"),
    ("-added", "Newest first"),
    ("added", "Oldest first"),
]


@require_safe
@requires(Right.SEE_MAILBOXES)
def mailbox_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    user, chosen = request.user, MailboxFilter.read(request.GET)
    mine = Mailbox.objects.visible_to(user).all()
    sort = _sort(request.GET)
    found = chosen.narrow(mine).order_by(*SORTS[sort])
    keys = found.values_list("pk", flat=True)
    page = Paginator(keys, PER_PAGE).get_page(asked(request, "page"))
    # Only these: deletions would be looked up for each row of the pages before, too.
    rows = mine.filter(pk__in=list(page)).with_deletion().order_by(*SORTS[sort])
    tags = mine.tags_in_use()
    wanted = "" if page.paginator.count else _searched_name(chosen, user)
    may_manage, may_delete = user.may(Right.MANAGE), user.may(Right.DELETE)
    context = {
        "page": page,
        "rows": rows,
        "filter": chosen,
        "chips": chosen.chips(_kept(sort)),
        "sort": sort,
        "orders": ORDERS,
        "shown": columns_of(user, has_tags=bool(tags)),
        # Whoever ticks several columns has to find the menu open again.
        "is_choosing_columns": request.htmx.trigger == "columns",
        "scope": ", ".join(user.domain_scope or []),
        "wanted": wanted,
        "create_url": _create_url(chosen.domain, wanted),
        "may_create": user.may(Right.HANDLE_MAILBOXES),
        "may_manage": may_manage,
        "may_delete": may_delete,
        "may_choose": may_manage or may_delete,
        **_offered(mine, chosen, tags),
    }
    return page_or_partial(request, "mailboxes/mailbox_list.html", context)


@require_POST
@requires(Right.SEE_MAILBOXES)
def choose_columns(request: AuthenticatedHttpRequest) -> HttpResponse:
    columns = known(request.POST.getlist("column"))
    remember(person=request.user, name=PREFERENCE, value=columns)
    pairs = MailboxFilter.read(request.POST).pairs + _kept(_sort(request.POST))
    if (page := request.POST.get("page", "")).isdecimal():
        pairs.append(("page", page))
    query = f"?{urlencode(pairs)}" if pairs else ""
    return redirect(f"{reverse('mailboxes:mailbox-list')}{query}")


@never_cache
@require_GET
@requires(Right.SEE_MAILBOXES)
def export_mailboxes(request: AuthenticatedHttpRequest) -> HttpResponse:
    chosen = MailboxFilter.read(request.GET)
    found = chosen.narrow(Mailbox.objects.visible_to(request.user).all())
    note_export(count=found.count(), filters=chosen.in_words(), actor=request.user)
    name = f"mailboxes-{timezone.localdate()}.csv"
    return StreamingHttpResponse(
        exports.as_csv(found),
        content_type=writing.CONTENT_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )  # type: ignore[return-value]  # a response all the same


def _offered(
    mine: MailboxQuerySet, chosen: MailboxFilter, tags: list[str]
) -> dict[str, Any]:
    """Return what the filters and menus offer, and what of it is chosen."""
    domains = set(mine.present().order_by().values_list("domain", flat=True).distinct())
    return {
        "domains": sorted(domains),
        "two_factor": TWO_FACTOR,
        "more": [("Signing in", SIGNING_IN), ("In this panel", IN_PANEL)],
        "tags": sorted({*tags, *chosen.tags}),
        "columns": COLUMNS,
    }


def _searched_name(chosen: MailboxFilter, user: User) -> str:
    """Return what was searched for, where it can be the address of a new mailbox."""
    if {name for name, _ in chosen.pairs} - {"q", "domain"}:
        return ""  # it may exist, and other filters hide it
    name = chosen.words.lower()
    local, at, domain = name.rpartition("@")
    ours = Domain.objects.visible_to(user).present()
    if at and not ours.filter(name=domain).exists():
        return ""
    return "" if object_to_local_part(local if at else name) else name


def _create_url(domain: str, wanted: str) -> str:
    told = {"name": wanted, "domain": "" if "@" in wanted else domain}
    query = urlencode({name: value for name, value in told.items() if value})
    return reverse("mailboxes:create-mailbox") + (f"?{query}" if query else "")


def _sort(data: QueryDict) -> str:
    sort = data.get("sort", "")
    return sort if sort in SORTS else "address"


def _kept(sort: str) -> Pairs:
    return [("sort", sort)] if sort != "address" else []
