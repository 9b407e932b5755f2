from __future__ import annotations

from django.urls import URLPattern, path

from purelymanage.domains import views

app_name = "domains"
urlpatterns: list[URLPattern] = [
    path("", views.domain_list, name="domain-list"),
    path("sync/", views.sync_now, name="sync-now"),
    path("<str:name>/", views.domain_detail, name="domain-detail"),
]
