from __future__ import annotations

from django.urls import include, path

from purelymanage.accounts.permissions import Right, requires
from purelymanage.audit.views.entries import entry_list, export_entries

urlpatterns = [
    path("", include("purelymanage.dashboard.urls")),
    path("accounts/", include("purelymanage.accounts.urls")),
    path("audit/", requires(Right.SEE_AUDIT)(entry_list), name="entry-list"),
    path(
        "audit/export/<str:form>/",
        requires(Right.SEE_AUDIT)(export_entries),
        name="export-entries",
    ),
    path("deletions/", include("purelymanage.deletions.urls")),
    path("domains/", include("purelymanage.domains.urls")),
    path("mailboxes/", include("purelymanage.mailboxes.urls")),
    path("migrations/", include("purelymanage.migrations.urls")),
    path("routing/", include("purelymanage.routing.urls")),
    path("settings/", include("purelymanage.accounts.security.urls")),
    path("settings/", include("purelymanage.accounts.settings_urls")),
]
