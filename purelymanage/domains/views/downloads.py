from __future__ import annotations

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.domains.dns import snippets
from purelymanage.domains.views.details import domain_or_404, read_records
from purelymanage.sheets.writing import CONTENT_TYPE

TEXT = "text/plain; charset=utf-8"
FORMS = {
    "zone": (snippets.bind_zone, TEXT, "zone"),
    "csv": (snippets.comma_separated, CONTENT_TYPE, "csv"),
    "letter": (snippets.plain_text, TEXT, "txt"),
}


@require_safe
@requires(Right.SEE_DOMAINS)
def download_records(
    request: AuthenticatedHttpRequest, name: str, form: str
) -> HttpResponse:
    """Hand out the records that are to be set, to be taken elsewhere."""
    domain = domain_or_404(name, request.user)
    if form not in FORMS:
        raise Http404
    write, content_type, ending = FORMS[form]
    response = HttpResponse(
        write(read_records(domain).health), content_type=content_type
    )
    response["Content-Disposition"] = (
        f'attachment; filename="{domain.name}-records.{ending}"'
    )
    return response
