from __future__ import annotations

from purelymanage.migrations.models.app_passwords import RunPassword
from purelymanage.migrations.models.attempts import Attempt
from purelymanage.migrations.models.batches import Batch
from purelymanage.migrations.models.job_actions import JobAction
from purelymanage.migrations.models.jobs import Job
from purelymanage.migrations.models.queue import QueueRules
from purelymanage.migrations.models.runs import Run, RunError, RunFolder
from purelymanage.migrations.models.servers import EngineChoice, Server, ServerDay

__all__ = [
    "Attempt",
    "Batch",
    "EngineChoice",
    "Job",
    "JobAction",
    "QueueRules",
    "Run",
    "RunError",
    "RunFolder",
    "RunPassword",
    "Server",
    "ServerDay",
]
