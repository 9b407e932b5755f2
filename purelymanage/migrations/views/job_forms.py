from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.errors import Refused
from purelymanage.http import page_or_partial
from purelymanage.migrations.folder_choice import Line, lines_of
from purelymanage.migrations.forms import FolderChoice, JobForm, OptionsForm
from purelymanage.migrations.forms.folders import MOST_LINES
from purelymanage.migrations.forms.options import initial_of
from purelymanage.migrations.models import Job, Run
from purelymanage.migrations.operations import folders as folder_operations
from purelymanage.migrations.operations import jobs as operations
from purelymanage.migrations.operations.new_mailboxes import is_missing
from purelymanage.migrations.options import JobOptions

MOST_SUGGESTIONS = 500


@sensitive_post_parameters("password", "destination_password")
@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def create_job(request: AuthenticatedHttpRequest) -> HttpResponse:
    form = JobForm(
        request.POST or None,
        user=request.user,
        initial={
            "server": request.GET.get("server"),
            "destination": request.GET.get("to"),
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            if request.POST.get("then") == "folders":
                job = operations.prepare_job(**form.wanted, actor=request.user)
                return _read_folders(request, job)
            run = operations.create_job(**form.wanted, actor=request.user)
        except operations.NotLetIn as exc:
            field = "password" if exc.about_password else "server"
            if exc.at_destination:
                field = f"destination_{field}"
            form.add_error(field, str(exc))
        except Refused as exc:
            is_other = form.cleaned_data["kind"] == "other"
            form.add_error("destination_user" if is_other else "destination", str(exc))
        else:
            return redirect("migrations:job-detail", run.job_id)

    addresses = form.mailboxes.values_list("address", flat=True)
    return page_or_partial(
        request,
        "migrations/create_job.html",
        {"form": form, "suggestions": addresses[:MOST_SUGGESTIONS]},
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def edit_job(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    job = _job(request, pk)
    options = JobOptions.read(job.options)
    form = OptionsForm(request.POST or None, initial=initial_of(options, job.engine))
    lines = _lines(job, options)
    if request.method == "POST" and form.is_valid():
        try:
            options = form.options(options)
            choice = FolderChoice.read(request.POST)
            if choice is not None:
                lines = _lines(job, choice.as_options(options))
                options = choice.apply(options, lines)
            if request.POST.get("then") != "preview":
                plans = request.POST.get("then") == "plan"
                operations.change_job(
                    job=job,
                    wishes=operations.Wishes(
                        options=JobOptions.read(options.as_stored()),
                        engine=form.cleaned_data["engine"],
                    ),
                    plans=plans,
                    actor=request.user,
                )
                return redirect("migrations:job-detail", pk)
        except Refused as exc:
            form.add_error(None, str(exc))

    context = {
        "job": job,
        "form": form,
        "lines": lines if len(lines) <= MOST_LINES else [],
        "is_known": bool(lines),
        "has_open_run": Run.objects.open().filter(job=job).exists(),
        "destination_is_known": _is_destination_known(job),
        "destination_is_missing": is_missing(job),
    }
    return page_or_partial(
        request,
        "migrations/edit_job.html",
        context,
        status=422 if form.errors else 200,
    )


@require_POST
@requires(Right.MANAGE)
def read_folders(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    return _read_folders(request, _job(request, pk))


def _read_folders(request: AuthenticatedHttpRequest, job: Job) -> HttpResponse:
    try:
        folder_operations.read_folders(job=job, actor=request.user)
    except Refused as exc:
        messages.error(request, str(exc))
    return redirect("migrations:edit-job", job.pk)


def _job(request: AuthenticatedHttpRequest, pk: int) -> Job:
    jobs = Job.objects.visible_to(request.user).present()
    return get_object_or_404(jobs.select_related("server", "destination_server"), pk=pk)


def _lines(job: Job, options: JobOptions) -> list[Line]:
    folders = folder_operations.known_folders(job)
    if folders is None:
        return []
    return lines_of(folders, options, job.server.left_out_folders)


def _is_destination_known(job: Job) -> bool:
    folders: Any = folder_operations.known_folders(job)
    return folders is not None and folders.destination is not None
