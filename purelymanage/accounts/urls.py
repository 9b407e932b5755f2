"""The door of the panel: an invitation, and the pages of allauth by its names."""

from __future__ import annotations

from allauth.account import views
from django.conf import settings
from django.urls import include, path, re_path

from purelymanage.accounts.views.invitations import accept_invitation

urlpatterns = [
    path("invitation/<str:token>/", accept_invitation, name="accept-invitation"),
    path("2fa/", include("purelymanage.accounts.security.allauth_urls")),
    path(
        "login/",
        views.LoginView.as_view(
            extra_context={"idle_hours": settings.SESSION_IDLE_HOURS}
        ),
        name="account_login",
    ),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("signup/", views.signup, name="account_signup"),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("password/change/", views.password_change, name="account_change_password"),
    path("password/reset/", views.password_reset, name="account_reset_password"),
    path(
        "password/reset/done/",
        views.password_reset_done,
        name="account_reset_password_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        views.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]
