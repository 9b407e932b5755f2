"""allauth's pages for second factors; it looks them up by these names.

What is changed and its audit entry share a transaction.
"""

from __future__ import annotations

from allauth.mfa.base import views
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.contrib.auth.decorators import login_not_required
from django.db.transaction import atomic
from django.urls import path
from django.views.decorators.cache import never_cache

urlpatterns = [
    path("", views.index, name="mfa_index"),
    path("authenticate/", views.authenticate, name="mfa_authenticate"),
    path("reauthenticate/", views.reauthenticate, name="mfa_reauthenticate"),
    path("app/add/", never_cache(atomic(totp.activate_totp)), name="mfa_activate_totp"),
    path("app/remove/", atomic(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path(
        "recovery-codes/",
        never_cache(atomic(recovery_codes.view_recovery_codes)),
        name="mfa_view_recovery_codes",
    ),
    path(
        "recovery-codes/new/",
        atomic(recovery_codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path("passkeys/", webauthn.list_webauthn, name="mfa_list_webauthn"),
    path("passkeys/add/", atomic(webauthn.add_webauthn), name="mfa_add_webauthn"),
    path(
        "passkeys/login/",
        login_not_required(webauthn.login_webauthn),
        name="mfa_login_webauthn",
    ),
    path(
        "passkeys/reauthenticate/",
        webauthn.reauthenticate_webauthn,
        name="mfa_reauthenticate_webauthn",
    ),
    path(
        "passkeys/<int:pk>/rename/",
        atomic(webauthn.edit_webauthn),
        name="mfa_edit_webauthn",
    ),
    path(
        "passkeys/<int:pk>/remove/",
        atomic(webauthn.remove_webauthn),
        name="mfa_remove_webauthn",
    ),
]
