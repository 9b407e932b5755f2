from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.errors import Refused
from purelymanage.http import asked, page_or_partial
from purelymanage.migrations.forms import PasswordForm
from purelymanage.migrations.models import Job
from purelymanage.migrations.operations.jobs import NotLetIn
from purelymanage.migrations.operations.jobs import (
    replace_password as replace,
)


@sensitive_post_parameters("password", "destination_password")
@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def replace_password(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Take another password for a job, which may not have run yet."""
    jobs = Job.objects.visible_to(request.user).present()
    related = jobs.select_related("server", "destination_server", "batch")
    job = get_object_or_404(related.defer("batch__sheet"), pk=pk)
    newest = job.runs.filter(is_newest=True).only("dry_run").first()
    kind = asked(request, "kind") or (
        "plan" if newest is None or newest.dry_run else "copy"
    )
    # Somebody who goes through the rows of a batch goes back to them.
    for_batch = job.batch is not None and (newest is None or "batch" in request.GET)
    form = PasswordForm(request.POST if request.method == "POST" else None, job=job)
    if form.is_valid():
        try:
            replace(
                job=job,
                **form.passwords,
                dry_run=kind != "copy",
                actor=request.user,
            )
        except NotLetIn as exc:
            field = "destination_password" if exc.at_destination else "password"
            form.add_error(field if field in form.fields else None, str(exc))
        except Refused as exc:
            form.add_error(None, str(exc))
        else:
            if for_batch:
                return redirect("migrations:batch-detail", job.batch_id)
            return redirect("migrations:job-detail", pk)

    return page_or_partial(
        request,
        "migrations/replace_password.html",
        {"form": form, "kind": kind, "job": job, "for_batch": for_batch},
        status=422 if form.errors else 200,
    )
