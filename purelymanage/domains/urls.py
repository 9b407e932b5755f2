from __future__ import annotations

from django.urls import URLPattern, path

from purelymanage.domains.views import (
    adding,
    additions,
    details,
    downloads,
    lists,
    settings,
    syncing,
)

app_name = "domains"
urlpatterns: list[URLPattern] = [
    path("", lists.domain_list, name="domain-list"),
    path("sync/", syncing.sync_now, name="sync-now"),
    path("check/", lists.check_domains, name="check-domains"),
    path("add/", adding.add_domain, name="add-domain"),
    path("add/look/", adding.look_for_proof, name="look-for-proof"),
    path("additions/", additions.addition_list, name="addition-list"),
    path(
        "additions/<int:pk>/cancel/",
        additions.cancel_addition,
        name="cancel-addition",
    ),
    path("<str:name>/", details.domain_detail, name="domain-detail"),
    path("<str:name>/looked/", details.look_state, name="look-state"),
    path("<str:name>/check/", details.check_domain, name="check-domain"),
    path("<str:name>/recheck/", details.recheck_domain, name="recheck-domain"),
    path(
        "<str:name>/account-recovery/",
        settings.set_account_recovery,
        name="set-account-recovery",
    ),
    path(
        "<str:name>/subaddressing/",
        settings.set_subaddressing,
        name="set-subaddressing",
    ),
    path(
        "<str:name>/records/<str:form>/",
        downloads.download_records,
        name="download-records",
    ),
]
