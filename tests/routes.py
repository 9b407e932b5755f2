"""Every page and action of the panel, with the right it asks for."""

from __future__ import annotations

from purelymanage.accounts.permissions import Right
from tests.account import PASSKEY_PK, PERSON_PK, SESSION_PK
from tests.migrations.routes import ROUTES as MIGRATION_ROUTES
from tests.route import Route

ROUTES = {
    "account_login": Route("/accounts/login/", is_open=True),
    "account_logout": Route("/accounts/logout/", is_open=True),
    "account_inactive": Route("/accounts/inactive/", is_open=True),
    "account_signup": Route("/accounts/signup/", is_open=True),
    "accept-invitation": Route("/accounts/invitation/a-token/", is_open=True),
    "account_reauthenticate": Route("/accounts/reauthenticate/"),
    "account_change_password": Route("/accounts/password/change/"),
    "account_reset_password": Route("/accounts/password/reset/", is_open=True),
    "account_reset_password_done": Route(
        "/accounts/password/reset/done/", is_open=True
    ),
    "account_reset_password_from_key": Route(
        "/accounts/password/reset/key/1-set-password/", is_open=True
    ),
    "account_reset_password_from_key_done": Route(
        "/accounts/password/reset/key/done/", is_open=True
    ),
    "mfa_index": Route("/accounts/2fa/"),
    "mfa_authenticate": Route("/accounts/2fa/authenticate/", is_open=True),
    "mfa_reauthenticate": Route("/accounts/2fa/reauthenticate/"),
    "mfa_activate_totp": Route("/accounts/2fa/app/add/"),
    "mfa_view_recovery_codes": Route("/accounts/2fa/recovery-codes/", is_own=True),
    "mfa_generate_recovery_codes": Route("/accounts/2fa/recovery-codes/new/"),
    "mfa_list_webauthn": Route("/accounts/2fa/passkeys/"),
    "mfa_add_webauthn": Route("/accounts/2fa/passkeys/add/"),
    "mfa_login_webauthn": Route("/accounts/2fa/passkeys/login/", is_open=True),
    "mfa_reauthenticate_webauthn": Route("/accounts/2fa/passkeys/reauthenticate/"),
    "mfa_edit_webauthn": Route(
        f"/accounts/2fa/passkeys/{PASSKEY_PK}/rename/", is_own=True
    ),
    "mfa_remove_webauthn": Route(
        f"/accounts/2fa/passkeys/{PASSKEY_PK}/remove/", is_own=True
    ),
    "mfa_deactivate_totp": Route("/accounts/2fa/app/remove/", is_own=True),
    "security:session-list": Route("/settings/sessions/"),
    "security:end-other-sessions": Route("/settings/sessions/end/"),
    "security:end-session": Route(f"/settings/sessions/{SESSION_PK}/end/", is_own=True),
    "security:person-session-list": Route(
        f"/settings/people/{PERSON_PK}/sessions/", Right.MANAGE_PEOPLE
    ),
    "security:end-person-sessions": Route(
        f"/settings/people/{PERSON_PK}/sessions/end/", Right.MANAGE_PEOPLE
    ),
    "security:remove-second-factors": Route(
        f"/settings/people/{PERSON_PK}/second-factor/remove/", Right.MANAGE_PEOPLE
    ),
    "dashboard": Route("/"),
    "healthz": Route("/healthz", is_open=True),
    "metrics": Route("/metrics", is_open=True),
    "panel-health": Route("/settings/health/", Right.MANAGE),
    "running-copies": Route("/running-copies/", Right.SEE_MIGRATIONS),
    "setup": Route("/setup/", Right.MANAGE_PEOPLE),
    "check-token": Route("/setup/token/", Right.MANAGE_PEOPLE),
    "start-import": Route("/setup/import/", Right.MANAGE_PEOPLE),
    "try-mail": Route("/setup/mail/", Right.MANAGE_PEOPLE),
    "confirm-mail": Route("/setup/mail/arrived/", Right.MANAGE_PEOPLE),
    "put-off-step": Route("/setup/later/mail/", Right.MANAGE_PEOPLE),
    "finish-setup": Route("/setup/finish/", Right.MANAGE_PEOPLE),
    "entry-list": Route("/audit/", Right.SEE_AUDIT),
    "notice-list": Route("/notices/"),
    "mark-notices": Route("/notices/read/"),
    "notification-choices": Route("/settings/notifications/"),
    "export-entries": Route("/audit/export/csv/", Right.SEE_AUDIT),
    "settings:profile": Route("/settings/"),
    "settings:organisation": Route("/settings/organisation/", Right.MANAGE_PEOPLE),
    "settings:send-test-mail": Route(
        "/settings/organisation/test-mail/", Right.MANAGE_PEOPLE
    ),
    "settings:person-list": Route("/settings/people/", Right.MANAGE_PEOPLE),
    "settings:invite-person": Route("/settings/people/invite/", Right.MANAGE_PEOPLE),
    "settings:person-detail": Route(
        f"/settings/people/{PERSON_PK}/", Right.MANAGE_PEOPLE
    ),
    "settings:deactivate-person": Route(
        f"/settings/people/{PERSON_PK}/deactivate/", Right.MANAGE_PEOPLE
    ),
    "settings:reactivate-person": Route(
        f"/settings/people/{PERSON_PK}/reactivate/", Right.MANAGE_PEOPLE
    ),
    "settings:resend-invitation": Route(
        "/settings/invitations/1/resend/", Right.MANAGE_PEOPLE
    ),
    "settings:withdraw-invitation": Route(
        "/settings/invitations/1/withdraw/", Right.MANAGE_PEOPLE
    ),
    "deletions:deletion-list": Route("/deletions/", Right.SEE_DOMAINS),
    "deletions:request-deletion": Route(
        "/deletions/new/mailbox/box0@example.org/", Right.DELETE, is_scoped=True
    ),
    "deletions:request-bulk": Route("/deletions/new/mailbox/", Right.DELETE),
    "deletions:cancel-deletions": Route("/deletions/cancel/", Right.DELETE),
    "deletions:cancel-deletion": Route(
        "/deletions/1/cancel/", Right.DELETE, is_scoped=True
    ),
    "deletions:decide-deletion": Route(
        "/deletions/1/decide/", Right.DELETE, is_scoped=True
    ),
    "deletions:look-again": Route("/deletions/1/again/", Right.DELETE, is_scoped=True),
    "deletions:create-again": Route(
        "/deletions/1/create-again/", Right.MANAGE, is_scoped=True
    ),
    "domains:domain-list": Route("/domains/", Right.SEE_DOMAINS),
    "domains:domain-detail": Route(
        "/domains/example.org/", Right.SEE_DOMAINS, is_scoped=True
    ),
    "domains:sync-now": Route("/domains/sync/", Right.SEE_MAILBOXES),
    "domains:check-domains": Route("/domains/check/", Right.SEE_DOMAINS),
    "domains:add-domain": Route("/domains/add/", Right.MANAGE),
    "domains:look-for-proof": Route("/domains/add/look/", Right.MANAGE),
    "domains:addition-list": Route("/domains/additions/", Right.SEE_DOMAINS),
    "domains:cancel-addition": Route(
        "/domains/additions/1/cancel/", Right.MANAGE, is_scoped=True
    ),
    "domains:look-state": Route(
        "/domains/example.org/looked/", Right.SEE_DOMAINS, is_scoped=True
    ),
    "domains:check-domain": Route(
        "/domains/example.org/check/", Right.SEE_DOMAINS, is_scoped=True
    ),
    "domains:recheck-domain": Route(
        "/domains/example.org/recheck/", Right.MANAGE, is_scoped=True
    ),
    "domains:set-account-recovery": Route(
        "/domains/example.org/account-recovery/", Right.MANAGE, is_scoped=True
    ),
    "domains:set-subaddressing": Route(
        "/domains/example.org/subaddressing/", Right.MANAGE, is_scoped=True
    ),
    "domains:download-records": Route(
        "/domains/example.org/records/zone/", Right.SEE_DOMAINS, is_scoped=True
    ),
    "mailboxes:mailbox-list": Route("/mailboxes/", Right.SEE_MAILBOXES),
    "mailboxes:choose-columns": Route("/mailboxes/columns/", Right.SEE_MAILBOXES),
    "mailboxes:export-mailboxes": Route("/mailboxes/export/csv/", Right.SEE_MAILBOXES),
    "mailboxes:mailbox-detail": Route(
        "/mailboxes/box1@example.org/", Right.SEE_MAILBOXES, is_scoped=True
    ),
    "mailboxes:switch-on-two-factor": Route(
        "/mailboxes/box1@example.org/two-factor/on/",
        Right.HANDLE_MAILBOXES,
        is_scoped=True,
    ),
    "mailboxes:switch-off-two-factor": Route(
        "/mailboxes/box1@example.org/two-factor/off/",
        Right.HANDLE_MAILBOXES,
        is_scoped=True,
    ),
    "mailboxes:set-reset-allowed": Route(
        "/mailboxes/box1@example.org/reset-allowed/",
        Right.HANDLE_MAILBOXES,
        is_scoped=True,
    ),
    "mailboxes:set-search-indexing": Route(
        "/mailboxes/box1@example.org/search-indexing/",
        Right.HANDLE_MAILBOXES,
        is_scoped=True,
    ),
    "mailboxes:save-recovery": Route(
        "/mailboxes/box1@example.org/recovery/", Right.HANDLE_MAILBOXES, is_scoped=True
    ),
    "mailboxes:suspend": Route(
        "/mailboxes/box1@example.org/suspend/", Right.MANAGE, is_scoped=True
    ),
    "mailboxes:edit-notes": Route(
        "/mailboxes/box1@example.org/notes/", Right.HANDLE_MAILBOXES, is_scoped=True
    ),
    "mailboxes:remove-recovery": Route(
        "/mailboxes/box1@example.org/recovery/remove/",
        Right.HANDLE_MAILBOXES,
        is_scoped=True,
    ),
    "mailboxes:create-mailbox": Route("/mailboxes/new/", Right.HANDLE_MAILBOXES),
    "mailboxes:preview-address": Route(
        "/mailboxes/new/address/", Right.HANDLE_MAILBOXES
    ),
    "mailboxes:rate-password": Route(
        "/mailboxes/new/strength/", Right.HANDLE_MAILBOXES
    ),
    "mailboxes:make-hand-over": Route(
        "/mailboxes/box1@example.org/hand-overs/",
        Right.HANDLE_MAILBOXES,
        is_scoped=True,
    ),
    "mailboxes:withdraw-hand-over": Route(
        "/mailboxes/box1@example.org/hand-overs/1/withdraw/",
        Right.HANDLE_MAILBOXES,
        is_scoped=True,
    ),
    "mailboxes:reset-password": Route(
        "/mailboxes/box1@example.org/reset-password/",
        Right.HANDLE_MAILBOXES,
        is_scoped=True,
    ),
    "welcome": Route("/welcome/a-token/", is_open=True),
    "gather": Route("/gather/a-token/", is_open=True),
    "mailboxes:rename-mailbox": Route(
        "/mailboxes/box1@example.org/rename/", Right.MANAGE, is_scoped=True
    ),
    "mailboxes:rename-detail": Route(
        "/mailboxes/box1@example.org/renames/1/", Right.MANAGE, is_scoped=True
    ),
    "mailboxes:create-app-password": Route(
        "/mailboxes/box1@example.org/app-passwords/new/",
        Right.HANDLE_MAILBOXES,
        is_scoped=True,
    ),
    "mailboxes:revoke-app-password": Route(
        "/mailboxes/box1@example.org/app-passwords/1/",
        Right.HANDLE_MAILBOXES,
        is_scoped=True,
    ),
    "mailboxes:import-mailboxes": Route("/mailboxes/import/", Right.MANAGE),
    "mailboxes:import-template": Route("/mailboxes/import/template/", Right.MANAGE),
    "mailboxes:bulk-list": Route("/mailboxes/bulk/", Right.MANAGE),
    "mailboxes:new-bulk": Route("/mailboxes/bulk/new/", Right.MANAGE),
    "mailboxes:bulk-detail": Route("/mailboxes/bulk/1/", Right.MANAGE, is_scoped=True),
    "mailboxes:map-columns": Route(
        "/mailboxes/bulk/2/columns/", Right.MANAGE, is_own=True
    ),
    "mailboxes:choose-wishes": Route(
        "/mailboxes/bulk/1/wishes/", Right.MANAGE, is_scoped=True
    ),
    "mailboxes:start-bulk": Route(
        "/mailboxes/bulk/1/start/", Right.MANAGE, is_scoped=True
    ),
    "mailboxes:decide-bulk": Route(
        "/mailboxes/bulk/1/decide/", Right.MANAGE, is_scoped=True
    ),
    "mailboxes:take-links": Route(
        "/mailboxes/bulk/1/links/", Right.MANAGE, is_scoped=True
    ),
    "routing:rule-detail": Route("/routing/1/", Right.SEE_ROUTING, is_scoped=True),
    "routing:simulator": Route("/routing/simulator/", Right.SEE_ROUTING),
    "routing:create-rule": Route("/routing/new/", Right.MANAGE),
    "routing:preview-rule": Route("/routing/preview/", Right.MANAGE),
    "routing:suggest-targets": Route("/routing/targets/", Right.MANAGE),
    "routing:edit-rule": Route("/routing/1/edit/", Right.MANAGE, is_scoped=True),
    "routing:edit-note": Route("/routing/1/note/", Right.MANAGE, is_scoped=True),
    "routing:rule-list": Route("/routing/", Right.SEE_ROUTING),
    "routing:set-expiry": Route("/routing/1/expiry/", Right.MANAGE, is_scoped=True),
    "routing:export-rules": Route("/routing/export/csv/", Right.SEE_ROUTING),
    "routing:import-rules": Route("/routing/import/", Right.MANAGE),
    "routing:import-template": Route("/routing/import/template/", Right.MANAGE),
    "routing:apply-template": Route("/routing/template/", Right.MANAGE),
    "routing:bulk-list": Route("/routing/bulk/", Right.MANAGE),
    "routing:bulk-detail": Route("/routing/bulk/1/", Right.MANAGE, is_scoped=True),
    "routing:map-columns": Route("/routing/bulk/2/columns/", Right.MANAGE, is_own=True),
    "routing:choose-row": Route(
        "/routing/bulk/1/rows/1/", Right.MANAGE, is_scoped=True
    ),
    "routing:start-bulk": Route("/routing/bulk/1/start/", Right.MANAGE, is_scoped=True),
    "routing:decide-bulk": Route(
        "/routing/bulk/1/decide/", Right.MANAGE, is_scoped=True
    ),
    "routing:snapshot-list": Route("/routing/snapshots/", Right.SEE_ROUTING),
    "routing:take-snapshot": Route("/routing/snapshots/take/", Right.MANAGE),
    "routing:compare-snapshots": Route(
        "/routing/snapshots/compare/", Right.SEE_ROUTING
    ),
    # Everybody may see each of them, and of its content only their domains' part.
    "routing:snapshot-detail": Route("/routing/snapshots/1/", Right.SEE_ROUTING),
    "routing:download-snapshot": Route(
        "/routing/snapshots/1/download/", Right.SEE_ROUTING
    ),
    "routing:restore-snapshot": Route("/routing/snapshots/1/restore/", Right.MANAGE),
    **MIGRATION_ROUTES,
}
