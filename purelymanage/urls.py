from __future__ import annotations

from django.urls import include, path

from purelymanage.accounts.permissions import Right, requires
from purelymanage.audit.views.entries import entry_list, export_entries
from purelymanage.audit.views.notices import (
    mark_notices,
    notice_list,
    notification_choices,
)
from purelymanage.mailboxes.views.welcome import welcome
from purelymanage.migrations.views.gather import gather

handler400 = "purelymanage.dashboard.error_pages.bad_request"
handler404 = "purelymanage.dashboard.error_pages.page_not_found"
handler500 = "purelymanage.dashboard.outage.broken"

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
    path("gather/<str:token>/", gather, name="gather"),
    path("mailboxes/", include("purelymanage.mailboxes.urls")),
    path("migrations/", include("purelymanage.migrations.urls")),
    path("notices/", notice_list, name="notice-list"),
    path("notices/read/", mark_notices, name="mark-notices"),
    path("routing/", include("purelymanage.routing.urls")),
    path("settings/notifications/", notification_choices, name="notification-choices"),
    path("settings/", include("purelymanage.accounts.security.urls")),
    path("settings/", include("purelymanage.accounts.settings_urls")),
    path("welcome/<str:token>/", welcome, name="welcome"),
]
