from __future__ import annotations

from purelymanage.migrations.models.app_passwords import AppPassword
from purelymanage.migrations.models.jobs import Job
from purelymanage.migrations.models.runs import Run, RunError, RunFolder
from purelymanage.migrations.models.servers import Server

__all__ = ["AppPassword", "Job", "Run", "RunError", "RunFolder", "Server"]
