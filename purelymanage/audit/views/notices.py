from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from purelymanage.audit import operations
from purelymanage.audit.forms import NotificationChoicesForm
from purelymanage.audit.kinds import KINDS
from purelymanage.audit.links import page_of
from purelymanage.audit.models import Notice
from purelymanage.audit.viewer import viewer_of
from purelymanage.http import HtmxHttpRequest, asked, page_or_partial

PER_PAGE = 50


@require_safe
def notice_list(request: HtmxHttpRequest) -> HttpResponse:
    viewer = viewer_of(request)
    mine = Notice.objects.of(viewer).select_related("entry").order_by("-pk")
    before = asked(request, "before")
    if before.isascii() and before.isdigit() and len(before) < 19:
        mine = mine.filter(pk__lt=int(before))
    shown = list(mine[: PER_PAGE + 1])
    more = len(shown) > PER_PAGE
    shown = shown[:PER_PAGE]
    return page_or_partial(
        request,
        "audit/notice_list.html",
        {
            "notices": [
                (
                    notice,
                    KINDS[notice.kind].name if notice.kind in KINDS else "",
                    page_of(notice.entry),
                )
                for notice in shown
            ],
            "newest": shown[0].pk if shown else 0,
            "before": shown[-1].pk if more else None,
            "unseen": Notice.objects.of(viewer).unseen().count(),
            "sees_audit": viewer.may("see_audit"),
        },
    )


@require_POST
def mark_notices(request: HtmxHttpRequest) -> HttpResponse:
    newest = request.POST.get("newest", "")
    if newest.isascii() and newest.isdigit() and len(newest) < 19:
        operations.mark_seen(person=viewer_of(request), up_to=int(newest))
    return redirect("notice-list")


@require_http_methods(["GET", "POST"])
def notification_choices(request: HtmxHttpRequest) -> HttpResponse:
    viewer = viewer_of(request)
    data = request.POST if request.method == "POST" else None
    form = NotificationChoicesForm(data, person=viewer)
    if form.is_valid():
        operations.choose_notifications(person=viewer, choices=form.choices())
        messages.success(request, "Your choice is saved.")
        return redirect("notification-choices")
    return render(
        request,
        "audit/notification_choices.html",
        {"form": form},
        status=422 if form.errors else 200,
    )
