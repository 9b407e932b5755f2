from __future__ import annotations

from django.urls import URLPattern, path

from purelymanage.dashboard import health, views

urlpatterns: list[URLPattern] = [
    path("", views.dashboard, name="dashboard"),
    path("running-copies/", views.running_copies, name="running-copies"),
    path("settings/health/", health.panel_health, name="panel-health"),
    path("healthz", health.healthz, name="healthz"),
    path("metrics", health.metrics, name="metrics"),
]
