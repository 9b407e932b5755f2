"""Every page and action of the panel, with the right it asks for."""

from __future__ import annotations

from dataclasses import dataclass

from purelymanage.accounts.permissions import Right


@dataclass(frozen=True)
class Route:
    """`right` is None where signing in is enough, `is_open` where not even that."""

    path: str
    right: Right | None = None
    is_open: bool = False
    # About something of example.org, which limited people must not find.
    is_scoped: bool = False
    # About the account as a whole: limited people may see but not change it.
    is_shared: bool = False


ROUTES = {
    "account_login": Route("/accounts/login/", is_open=True),
    "account_logout": Route("/accounts/logout/", is_open=True),
    "account_inactive": Route("/accounts/inactive/", is_open=True),
    "account_signup": Route("/accounts/signup/", is_open=True),
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
    "dashboard": Route("/"),
    "healthz": Route("/healthz", is_open=True),
    "running-copies": Route("/running-copies/", Right.SEE_MIGRATIONS),
    "entry-list": Route("/audit/", Right.SEE_AUDIT),
    "domains:domain-list": Route("/domains/", Right.SEE_DOMAINS),
    "domains:sync-now": Route("/domains/sync/", Right.SEE_MAILBOXES),
    "mailboxes:mailbox-list": Route("/mailboxes/", Right.SEE_MAILBOXES),
    "mailboxes:create-mailbox": Route("/mailboxes/new/", Right.HANDLE_MAILBOXES),
    "mailboxes:preview-address": Route(
        "/mailboxes/new/address/", Right.HANDLE_MAILBOXES
    ),
    "mailboxes:rate-password": Route(
        "/mailboxes/new/strength/", Right.HANDLE_MAILBOXES
    ),
    "routing:rule-list": Route("/routing/", Right.SEE_ROUTING),
    "migrations:job-list": Route("/migrations/", Right.SEE_MIGRATIONS),
    "migrations:server-list": Route("/migrations/servers/", Right.SEE_MIGRATIONS),
    "migrations:create-server": Route(
        "/migrations/servers/new/", Right.MANAGE, is_shared=True
    ),
    "migrations:edit-server": Route(
        "/migrations/servers/1/", Right.MANAGE, is_shared=True
    ),
    "migrations:test-server": Route("/migrations/servers/1/test/", Right.MANAGE),
    "migrations:create-job": Route("/migrations/jobs/new/", Right.MANAGE),
    "migrations:job-detail": Route(
        "/migrations/jobs/1/", Right.SEE_MIGRATIONS, is_scoped=True
    ),
    "migrations:run-log": Route(
        "/migrations/jobs/1/log/", Right.SEE_MIGRATIONS, is_scoped=True
    ),
    "migrations:queue-run": Route(
        "/migrations/jobs/1/run/", Right.MANAGE, is_scoped=True
    ),
    "migrations:stop-run": Route(
        "/migrations/jobs/1/stop/", Right.MANAGE, is_scoped=True
    ),
    "migrations:replace-password": Route(
        "/migrations/jobs/1/password/", Right.MANAGE, is_scoped=True
    ),
}
