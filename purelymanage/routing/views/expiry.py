from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.errors import Refused
from purelymanage.routing.forms.expiry import ExpiryForm
from purelymanage.routing.models import Expiry, Rule
from purelymanage.routing.operations import expiry as operations
from purelymanage.routing.operations.expiry import in_words, waiting_time


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def set_expiry(request: AuthenticatedHttpRequest, remote_id: int) -> HttpResponse:
    """Choose the last day of a rule, or that it stays."""
    rules = Rule.objects.visible_to(request.user).present().with_deletion()
    rule = get_object_or_404(rules, remote_id=remote_id)
    present = Expiry.objects.of(remote_id).select_related("set_by").first()
    is_sent = request.method == "POST"
    if is_sent and "clear" in request.POST:
        return _clear(request, rule)
    form = ExpiryForm(
        request.POST if is_sent else None,
        initial={"ends_on": present.ends_on} if present else {},
    )
    if form.is_valid():
        day = form.cleaned_data["ends_on"]
        try:
            operations.set_expiry(rule=rule, ends_on=day, actor=request.user)
        except Refused as exc:
            form.add_error(None, str(exc))
        else:
            messages.success(request, f"The rule {rule} ends with {in_words(day)}.")
            return redirect(rule.url)
    context = {
        "form": form,
        "rule": rule,
        "expiry": present,
        "grace": waiting_time(),
        "mailboxes": (),
    }
    status = 422 if form.errors else 200
    return render(request, "routing/set_expiry.html", context, status=status)


def _clear(request: AuthenticatedHttpRequest, rule: Rule) -> HttpResponse:
    try:
        operations.clear_expiry(rule=rule, actor=request.user)
    except Refused as exc:
        messages.error(request, str(exc))
    else:
        messages.success(request, f"The rule {rule} stays until somebody deletes it.")
    return redirect(rule.url)
