from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.domains.models import Domain
from purelymanage.errors import Refused
from purelymanage.http import asked
from purelymanage.routing.bulk.templating import Template
from purelymanage.routing.forms.templating import TemplateForm
from purelymanage.routing.models import RuleBulk
from purelymanage.routing.operations import many


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def apply_template(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Choose names, domains and targets; what it would do is shown next."""
    mine = Domain.objects.visible_to(request.user).present().filter(is_shared=False)
    form = TemplateForm(
        request.POST if request.method == "POST" else None,
        domains=list(mine.order_by("name").values_list("name", flat=True)),
        initial=_again(request),
    )
    if form.is_valid():
        try:
            bulk = many.draft_template(template=form.template, actor=request.user)
        except Refused as exc:
            form.add_error(None, str(exc))
        else:
            return redirect("routing:bulk-detail", bulk.pk)
    status = 422 if form.errors else 200
    return render(request, "routing/apply_template.html", {"form": form}, status=status)


def _again(request: AuthenticatedHttpRequest) -> dict[str, object]:
    """Return what an earlier one said, to change it."""
    number = asked(request, "again")
    if not (number.isascii() and number.isdigit() and len(number) < 18):
        return {}
    mine = RuleBulk.objects.visible_to(request.user)
    bulk = mine.filter(pk=number, kind=RuleBulk.Kind.TEMPLATE).first()
    return TemplateForm.initial_from(Template.read(bulk.wishes)) if bulk else {}
