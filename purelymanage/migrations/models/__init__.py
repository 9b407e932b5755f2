from __future__ import annotations

from purelymanage.migrations.models.app_passwords import RunPassword
from purelymanage.migrations.models.attempts import Attempt
from purelymanage.migrations.models.batches import Batch
from purelymanage.migrations.models.campaigns import Campaign
from purelymanage.migrations.models.job_actions import JobAction
from purelymanage.migrations.models.jobs import Job
from purelymanage.migrations.models.launches import Launch
from purelymanage.migrations.models.participants import Participant, Submission
from purelymanage.migrations.models.password_tables import PasswordTable
from purelymanage.migrations.models.past_links import PastLink
from purelymanage.migrations.models.queue import QueueRules
from purelymanage.migrations.models.runs import Run, RunError, RunFolder
from purelymanage.migrations.models.servers import EngineChoice, Server, ServerDay
from purelymanage.migrations.models.sign_ins import SignIn

__all__ = [
    "Attempt",
    "Batch",
    "Campaign",
    "EngineChoice",
    "Job",
    "JobAction",
    "Launch",
    "Participant",
    "PasswordTable",
    "PastLink",
    "QueueRules",
    "Run",
    "RunError",
    "RunFolder",
    "RunPassword",
    "Server",
    "ServerDay",
    "SignIn",
    "Submission",
]
