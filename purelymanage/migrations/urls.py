from __future__ import annotations

from django.urls import URLPattern, path

from purelymanage.migrations import views

app_name = "migrations"
urlpatterns: list[URLPattern] = [
    path("", views.job_list, name="job-list"),
    path("progress/", views.list_progress, name="list-progress"),
    path("servers/", views.server_list, name="server-list"),
    path("servers/new/", views.create_server, name="create-server"),
    path("servers/find/", views.find_server, name="find-server"),
    path("servers/<int:pk>/", views.edit_server, name="edit-server"),
    path("servers/<int:pk>/test/", views.test_server, name="test-server"),
    path("servers/<int:pk>/remove/", views.remove_server, name="remove-server"),
    path("import/", views.import_jobs, name="import-jobs"),
    path("import/example/", views.import_template, name="import-template"),
    path("batches/<int:pk>/", views.batch_detail, name="batch-detail"),
    path("batches/<int:pk>/progress/", views.batch_progress, name="batch-progress"),
    path("batches/<int:pk>/action/", views.batch_action, name="batch-action"),
    path("batches/<int:pk>/act/", views.act_on_jobs, name="act-on-jobs"),
    path("batches/<int:pk>/rules/", views.change_batch, name="change-batch"),
    path("batches/<int:pk>/pause/", views.pause_batch, name="pause-batch"),
    path("batches/<int:pk>/resume/", views.resume_batch, name="resume-batch"),
    path("batches/<int:pk>/report/", views.batch_report, name="batch-report"),
    path("batches/<int:pk>/report.csv", views.batch_table, name="batch-table"),
    path("batches/<int:pk>/columns/", views.map_columns, name="map-columns"),
    path("batches/<int:pk>/draft/", views.batch_draft, name="batch-draft"),
    path("batches/<int:pk>/wishes/", views.choose_wishes, name="choose-wishes"),
    path("batches/<int:pk>/confirm/", views.confirm_batch, name="confirm-batch"),
    path("batches/<int:pk>/discard/", views.discard_draft, name="discard-draft"),
    path("campaigns/", views.campaign_list, name="campaign-list"),
    path("campaigns/new/", views.create_campaign, name="create-campaign"),
    path("campaigns/<int:pk>/", views.campaign_detail, name="campaign-detail"),
    path("campaigns/<int:pk>/close/", views.close_campaign, name="close-campaign"),
    path("campaigns/<int:pk>/edit/", views.edit_campaign, name="edit-campaign"),
    path("campaigns/<int:pk>/launch/", views.launch_campaign, name="launch-campaign"),
    path(
        "campaigns/<int:pk>/launch/progress/",
        views.launch_progress,
        name="launch-progress",
    ),
    path("campaigns/<int:pk>/launch/stop/", views.stop_launch, name="stop-launch"),
    path("campaigns/<int:pk>/people/", views.add_people, name="add-people"),
    path(
        "campaigns/<int:pk>/people/<int:key>/destination/",
        views.change_destination,
        name="change-destination",
    ),
    path(
        "campaigns/<int:pk>/people/<int:key>/login/",
        views.agree_to_login,
        name="agree-to-login",
    ),
    path(
        "campaigns/<int:pk>/people/<int:key>/password/",
        views.add_on_behalf,
        name="add-on-behalf",
    ),
    path(
        "campaigns/<int:pk>/people/<int:key>/link/", views.show_link, name="show-link"
    ),
    path(
        "campaigns/<int:pk>/people/<int:key>/invite/",
        views.invite_again,
        name="invite-again",
    ),
    path(
        "campaigns/<int:pk>/people/<int:key>/came-back/",
        views.note_came_back,
        name="note-came-back",
    ),
    path(
        "campaigns/<int:pk>/people/<int:key>/remove/",
        views.remove_person,
        name="remove-person",
    ),
    path(
        "campaigns/<int:pk>/mails/<str:kind>/", views.preview_mail, name="preview-mail"
    ),
    path(
        "campaigns/<int:pk>/mails/<str:kind>/send/",
        views.send_mails,
        name="send-mails",
    ),
    path("batches/<int:pk>/passwords/", views.give_passwords, name="give-passwords"),
    path("passwords/<int:pk>/", views.password_table, name="password-table"),
    path(
        "passwords/<int:pk>/columns/", views.password_columns, name="password-columns"
    ),
    path(
        "passwords/<int:pk>/discard/", views.discard_passwords, name="discard-passwords"
    ),
    path("queue/", views.edit_queue, name="edit-queue"),
    path("queue/limit/", views.limit_queue, name="limit-queue"),
    path("queue/pause/", views.pause_queue, name="pause-queue"),
    path("queue/resume/", views.resume_queue, name="resume-queue"),
    path("jobs/new/", views.create_job, name="create-job"),
    path("jobs/<int:pk>/", views.job_detail, name="job-detail"),
    path("jobs/<int:pk>/options/", views.edit_job, name="edit-job"),
    path("jobs/<int:pk>/folders/", views.read_folders, name="read-folders"),
    path("runs/<int:pk>/", views.run_detail, name="run-detail"),
    path("runs/<int:pk>/log/", views.run_log, name="run-log"),
    path("runs/<int:pk>/left-out.csv", views.run_items, name="run-items"),
    path("jobs/<int:pk>/run/", views.queue_run, name="queue-run"),
    path("jobs/<int:pk>/stop/", views.stop_run, name="stop-run"),
    path("jobs/<int:pk>/remove/", views.remove_job, name="remove-job"),
    path("jobs/<int:pk>/login/", views.try_login, name="try-login"),
    path("jobs/<int:pk>/password/", views.replace_password, name="replace-password"),
]
