from __future__ import annotations

from django.urls import URLPattern, path

from purelymanage.routing import bulk_urls
from purelymanage.routing.views import rules, simulator

app_name = "routing"
urlpatterns: list[URLPattern] = [
    path("", rules.rule_list, name="rule-list"),
    path("simulator/", simulator.simulator, name="simulator"),
    *bulk_urls.patterns,
    path("<int:remote_id>/", rules.rule_detail, name="rule-detail"),
]
