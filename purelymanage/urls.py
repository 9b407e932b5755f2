from __future__ import annotations

from django.urls import include, path

from purelymanage.accounts.permissions import Right, requires
from purelymanage.audit.views import entry_list

urlpatterns = [
    path("", include("purelymanage.dashboard.urls")),
    path("accounts/", include("purelymanage.accounts.urls")),
    path("audit/", requires(Right.SEE_AUDIT)(entry_list), name="entry-list"),
    path("deletions/", include("purelymanage.deletions.urls")),
    path("domains/", include("purelymanage.domains.urls")),
    path("mailboxes/", include("purelymanage.mailboxes.urls")),
    path("migrations/", include("purelymanage.migrations.urls")),
    path("routing/", include("purelymanage.routing.urls")),
    path("settings/", include("purelymanage.accounts.security.urls")),
    path("settings/", include("purelymanage.accounts.settings_urls")),
]
