from __future__ import annotations

from django.urls import URLPattern, path

from purelymanage.dashboard import health, views
from purelymanage.dashboard.setup import views as setup

urlpatterns: list[URLPattern] = [
    path("", views.dashboard, name="dashboard"),
    path("running-copies/", views.running_copies, name="running-copies"),
    path("setup/", setup.setup, name="setup"),
    path("setup/token/", setup.check_token, name="check-token"),
    path("setup/import/", setup.start_import, name="start-import"),
    path("setup/mail/", setup.try_mail, name="try-mail"),
    path("setup/mail/arrived/", setup.confirm_mail, name="confirm-mail"),
    path("setup/later/<str:name>/", setup.put_off_step, name="put-off-step"),
    path("setup/finish/", setup.finish_setup, name="finish-setup"),
    path("settings/health/", health.panel_health, name="panel-health"),
    path("healthz", health.healthz, name="healthz"),
    path("metrics", health.metrics, name="metrics"),
]
