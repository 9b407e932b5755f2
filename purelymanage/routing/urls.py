from __future__ import annotations

from django.urls import URLPattern, path

from purelymanage.routing import bulk_urls
from purelymanage.routing.views import rules, saving, simulator

app_name = "routing"
urlpatterns: list[URLPattern] = [
    path("", rules.rule_list, name="rule-list"),
    path("simulator/", simulator.simulator, name="simulator"),
    path("new/", saving.create_rule, name="create-rule"),
    path("preview/", saving.preview_rule, name="preview-rule"),
    path("targets/", saving.suggest_targets, name="suggest-targets"),
    *bulk_urls.patterns,
    path("<int:remote_id>/", rules.rule_detail, name="rule-detail"),
    path("<int:remote_id>/edit/", saving.edit_rule, name="edit-rule"),
    path("<int:remote_id>/note/", saving.edit_note, name="edit-note"),
]
