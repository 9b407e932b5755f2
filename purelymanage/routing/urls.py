from __future__ import annotations

from django.urls import URLPattern, path

from purelymanage.routing import views

app_name = "routing"
urlpatterns: list[URLPattern] = [
    path("", views.rule_list, name="rule-list"),
    path("<int:remote_id>/", views.rule_detail, name="rule-detail"),
]
