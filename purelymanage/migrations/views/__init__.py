from __future__ import annotations

from purelymanage.migrations.views.batches import (
    act_on_jobs,
    batch_action,
    batch_detail,
    batch_progress,
    change_batch,
    pause_batch,
    resume_batch,
    try_login,
)
from purelymanage.migrations.views.campaigns import (
    campaign_detail,
    campaign_list,
    close_campaign,
    create_campaign,
    edit_campaign,
)
from purelymanage.migrations.views.imports import (
    batch_draft,
    choose_wishes,
    confirm_batch,
    discard_draft,
    import_jobs,
    import_template,
    map_columns,
)
from purelymanage.migrations.views.job_forms import create_job, edit_job, read_folders
from purelymanage.migrations.views.jobs import (
    job_detail,
    queue_run,
    remove_job,
    stop_run,
)
from purelymanage.migrations.views.overview import job_list, list_progress
from purelymanage.migrations.views.participants import (
    add_people,
    invite_again,
    note_came_back,
    preview_mail,
    remove_person,
    send_mails,
    show_link,
)
from purelymanage.migrations.views.password_tables import (
    discard_passwords,
    give_passwords,
    password_columns,
    password_table,
)
from purelymanage.migrations.views.passwords import replace_password
from purelymanage.migrations.views.queue import (
    edit_queue,
    limit_queue,
    pause_queue,
    resume_queue,
)
from purelymanage.migrations.views.reports import batch_report, batch_table
from purelymanage.migrations.views.review import (
    add_on_behalf,
    agree_to_login,
    change_destination,
    launch_campaign,
    launch_progress,
    stop_launch,
)
from purelymanage.migrations.views.runs import run_detail, run_items, run_log
from purelymanage.migrations.views.servers import (
    create_server,
    edit_server,
    find_server,
    remove_server,
    server_list,
    test_server,
)

__all__ = [
    "act_on_jobs",
    "add_on_behalf",
    "add_people",
    "agree_to_login",
    "batch_action",
    "batch_detail",
    "batch_draft",
    "batch_progress",
    "batch_report",
    "batch_table",
    "campaign_detail",
    "campaign_list",
    "change_batch",
    "change_destination",
    "choose_wishes",
    "close_campaign",
    "confirm_batch",
    "create_campaign",
    "create_job",
    "create_server",
    "discard_draft",
    "discard_passwords",
    "edit_campaign",
    "edit_job",
    "edit_queue",
    "edit_server",
    "find_server",
    "give_passwords",
    "import_jobs",
    "import_template",
    "invite_again",
    "job_detail",
    "job_list",
    "launch_campaign",
    "launch_progress",
    "limit_queue",
    "list_progress",
    "map_columns",
    "note_came_back",
    "password_columns",
    "password_table",
    "pause_batch",
    "pause_queue",
    "preview_mail",
    "queue_run",
    "read_folders",
    "remove_job",
    "remove_person",
    "remove_server",
    "replace_password",
    "resume_batch",
    "resume_queue",
    "run_detail",
    "run_items",
    "run_log",
    "send_mails",
    "server_list",
    "show_link",
    "stop_launch",
    "stop_run",
    "test_server",
    "try_login",
]
