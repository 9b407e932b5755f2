from __future__ import annotations

from django.urls import URLPattern, path

from purelymanage.routing import bulk_urls
from purelymanage.routing.views import rules

app_name = "routing"
urlpatterns: list[URLPattern] = [
    path("", rules.rule_list, name="rule-list"),
    *bulk_urls.patterns,
    path("<int:remote_id>/", rules.rule_detail, name="rule-detail"),
]
