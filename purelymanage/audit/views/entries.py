from __future__ import annotations

from urllib.parse import urlencode

from django.contrib.auth import get_user_model
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_safe

from purelymanage.audit import operations
from purelymanage.audit.exports import FORMS
from purelymanage.audit.forms import EntryFilterForm
from purelymanage.audit.models import ChainCheck, Entry
from purelymanage.audit.pages import COUNTED, read_page, tally
from purelymanage.audit.viewer import viewer_of
from purelymanage.http import HtmxHttpRequest, asked, page_or_partial

# Rights are checked in the project's urls.py: this app knows nothing of roles.


@require_safe
def entry_list(request: HtmxHttpRequest) -> HttpResponse:
    viewer = viewer_of(request)
    form = _filter_of(request)
    is_limited = viewer.domain_scope is not None
    context: dict[str, object] = {
        "form": form,
        "check": ChainCheck.objects.latest_finished(),
        "is_limited": is_limited,
    }
    if form.is_valid():
        found = form.narrow(Entry.objects.visible_to(viewer))
        context["page"] = read_page(
            found,
            words=form.words,
            before=_place(request, "before"),
            after=_place(request, "after"),
        )
        context["is_narrow"] = form.is_narrow
        # Counting what a search finds would mean looking through everything.
        if not form.words:
            context["tally"] = tally(
                found, is_narrow=form.is_narrow, is_limited=is_limited
            )
            context["counted"] = COUNTED
        kept = {name: value for name, value in form.data.items() if value}
        context["filters"] = urlencode({k: kept[k] for k in form.fields if k in kept})
    return page_or_partial(
        request,
        "audit/entry_list.html",
        context,
        status=422 if form.errors else 200,
    )


@never_cache
@require_GET
def export_entries(request: HtmxHttpRequest, form: str) -> HttpResponse:
    if form not in FORMS:
        raise Http404
    viewer = viewer_of(request)
    chosen = _filter_of(request)
    if not chosen.is_valid():
        raise Http404
    found = chosen.narrow(Entry.objects.visible_to(viewer)).search(chosen.words)
    operations.note_export(
        form=form,
        filters={name: str(it) for name, it in chosen.cleaned_data.items() if it},
        actor=viewer,
    )
    kind, write = FORMS[form]
    day = timezone.localdate()
    return StreamingHttpResponse(
        write(found),
        content_type=kind,
        headers={"Content-Disposition": f'attachment; filename="audit-{day}.{form}"'},
    )  # type: ignore[return-value]  # a response all the same


def _filter_of(request: HtmxHttpRequest) -> EntryFilterForm:
    people = get_user_model().objects.order_by("email")
    viewer = viewer_of(request)
    if viewer.domain_scope is not None:
        people = people.filter(pk=viewer.pk)
    data = {name: asked(request, name) for name in request.GET}
    return EntryFilterForm(data, people=people.values_list("email", flat=True))


def _place(request: HtmxHttpRequest, name: str) -> int | None:
    text = asked(request, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
