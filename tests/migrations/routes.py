"""The pages and actions of migrations, with the right each asks for."""

from __future__ import annotations

from purelymanage.accounts.permissions import Right
from tests.route import Route

ROUTES = {
    "migrations:job-list": Route("/migrations/", Right.SEE_MIGRATIONS),
    "migrations:list-progress": Route("/migrations/progress/", Right.SEE_MIGRATIONS),
    "migrations:server-list": Route("/migrations/servers/", Right.SEE_MIGRATIONS),
    "migrations:create-server": Route(
        "/migrations/servers/new/", Right.MANAGE, is_shared=True
    ),
    "migrations:find-server": Route(
        "/migrations/servers/find/", Right.MANAGE, is_shared=True
    ),
    "migrations:edit-server": Route(
        "/migrations/servers/1/", Right.MANAGE, is_shared=True
    ),
    "migrations:test-server": Route("/migrations/servers/1/test/", Right.MANAGE),
    "migrations:remove-server": Route(
        "/migrations/servers/1/remove/", Right.MANAGE, is_shared=True
    ),
    "migrations:import-jobs": Route("/migrations/import/", Right.MANAGE),
    "migrations:import-template": Route("/migrations/import/example/", Right.MANAGE),
    "migrations:batch-detail": Route(
        "/migrations/batches/1/", Right.SEE_MIGRATIONS, is_scoped=True
    ),
    "migrations:batch-progress": Route(
        "/migrations/batches/1/progress/", Right.SEE_MIGRATIONS, is_scoped=True
    ),
    "migrations:batch-action": Route(
        "/migrations/batches/1/action/", Right.SEE_MIGRATIONS, is_scoped=True
    ),
    "migrations:act-on-jobs": Route(
        "/migrations/batches/1/act/", Right.MANAGE, is_scoped=True
    ),
    "migrations:change-batch": Route(
        "/migrations/batches/1/rules/", Right.MANAGE, is_scoped=True
    ),
    "migrations:pause-batch": Route(
        "/migrations/batches/1/pause/", Right.MANAGE, is_scoped=True
    ),
    "migrations:resume-batch": Route(
        "/migrations/batches/1/resume/", Right.MANAGE, is_scoped=True
    ),
    "migrations:batch-report": Route(
        "/migrations/batches/1/report/", Right.SEE_MIGRATIONS, is_scoped=True
    ),
    "migrations:batch-table": Route(
        "/migrations/batches/1/report.csv", Right.SEE_MIGRATIONS, is_scoped=True
    ),
    "migrations:map-columns": Route(
        "/migrations/batches/2/columns/", Right.MANAGE, is_own=True
    ),
    "migrations:batch-draft": Route(
        "/migrations/batches/2/draft/", Right.MANAGE, is_own=True
    ),
    "migrations:choose-wishes": Route(
        "/migrations/batches/2/wishes/", Right.MANAGE, is_own=True
    ),
    "migrations:confirm-batch": Route(
        "/migrations/batches/2/confirm/", Right.MANAGE, is_own=True
    ),
    "migrations:discard-draft": Route(
        "/migrations/batches/2/discard/", Right.MANAGE, is_own=True
    ),
    "migrations:campaign-list": Route("/migrations/campaigns/", Right.SEE_MIGRATIONS),
    "migrations:create-campaign": Route("/migrations/campaigns/new/", Right.MANAGE),
    "migrations:campaign-detail": Route(
        "/migrations/campaigns/1/", Right.SEE_MIGRATIONS, is_scoped=True
    ),
    "migrations:close-campaign": Route(
        "/migrations/campaigns/1/close/", Right.MANAGE, is_scoped=True
    ),
    "migrations:edit-campaign": Route(
        "/migrations/campaigns/1/edit/", Right.MANAGE, is_scoped=True
    ),
    "migrations:add-people": Route(
        "/migrations/campaigns/1/people/", Right.MANAGE, is_scoped=True
    ),
    "migrations:launch-campaign": Route(
        "/migrations/campaigns/1/launch/", Right.MANAGE, is_scoped=True
    ),
    "migrations:launch-progress": Route(
        "/migrations/campaigns/1/launch/progress/",
        Right.SEE_MIGRATIONS,
        is_scoped=True,
    ),
    "migrations:stop-launch": Route(
        "/migrations/campaigns/1/launch/stop/", Right.MANAGE, is_scoped=True
    ),
    "migrations:change-destination": Route(
        "/migrations/campaigns/1/people/1/destination/", Right.MANAGE, is_scoped=True
    ),
    "migrations:agree-to-login": Route(
        "/migrations/campaigns/1/people/1/login/", Right.MANAGE, is_scoped=True
    ),
    "migrations:add-on-behalf": Route(
        "/migrations/campaigns/1/people/1/password/", Right.MANAGE, is_scoped=True
    ),
    "migrations:show-link": Route(
        "/migrations/campaigns/1/people/1/link/", Right.MANAGE, is_scoped=True
    ),
    "migrations:invite-again": Route(
        "/migrations/campaigns/1/people/1/invite/", Right.MANAGE, is_scoped=True
    ),
    "migrations:note-came-back": Route(
        "/migrations/campaigns/1/people/1/came-back/", Right.MANAGE, is_scoped=True
    ),
    "migrations:remove-person": Route(
        "/migrations/campaigns/1/people/1/remove/", Right.MANAGE, is_scoped=True
    ),
    "migrations:preview-mail": Route(
        "/migrations/campaigns/1/mails/invitation/",
        Right.SEE_MIGRATIONS,
        is_scoped=True,
    ),
    "migrations:send-mails": Route(
        "/migrations/campaigns/1/mails/invitation/send/", Right.MANAGE, is_scoped=True
    ),
    "migrations:give-passwords": Route(
        "/migrations/batches/1/passwords/", Right.MANAGE, is_scoped=True
    ),
    "migrations:password-table": Route(
        "/migrations/passwords/1/", Right.MANAGE, is_own=True
    ),
    "migrations:password-columns": Route(
        "/migrations/passwords/1/columns/", Right.MANAGE, is_own=True
    ),
    "migrations:discard-passwords": Route(
        "/migrations/passwords/1/discard/", Right.MANAGE, is_own=True
    ),
    "migrations:edit-queue": Route("/migrations/queue/", Right.MANAGE, is_shared=True),
    "migrations:limit-queue": Route(
        "/migrations/queue/limit/", Right.MANAGE, is_shared=True
    ),
    "migrations:pause-queue": Route(
        "/migrations/queue/pause/", Right.MANAGE, is_shared=True
    ),
    "migrations:resume-queue": Route(
        "/migrations/queue/resume/", Right.MANAGE, is_shared=True
    ),
    "migrations:create-job": Route("/migrations/jobs/new/", Right.MANAGE),
    "migrations:job-detail": Route(
        "/migrations/jobs/1/", Right.SEE_MIGRATIONS, is_scoped=True
    ),
    "migrations:edit-job": Route(
        "/migrations/jobs/1/options/", Right.MANAGE, is_scoped=True
    ),
    "migrations:read-folders": Route(
        "/migrations/jobs/1/folders/", Right.MANAGE, is_scoped=True
    ),
    "migrations:run-log": Route(
        "/migrations/runs/1/log/", Right.SEE_MIGRATIONS, is_scoped=True
    ),
    "migrations:run-detail": Route(
        "/migrations/runs/1/", Right.SEE_MIGRATIONS, is_scoped=True
    ),
    "migrations:run-items": Route(
        "/migrations/runs/1/left-out.csv", Right.SEE_MIGRATIONS, is_scoped=True
    ),
    "migrations:queue-run": Route(
        "/migrations/jobs/1/run/", Right.MANAGE, is_scoped=True
    ),
    "migrations:stop-run": Route(
        "/migrations/jobs/1/stop/", Right.MANAGE, is_scoped=True
    ),
    "migrations:remove-job": Route(
        "/migrations/jobs/1/remove/", Right.MANAGE, is_scoped=True
    ),
    "migrations:try-login": Route(
        "/migrations/jobs/1/login/", Right.MANAGE, is_scoped=True
    ),
    "migrations:replace-password": Route(
        "/migrations/jobs/1/password/", Right.MANAGE, is_scoped=True
    ),
}
