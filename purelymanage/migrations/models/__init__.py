from __future__ import annotations

from purelymanage.migrations.models.app_passwords import RunPassword
from purelymanage.migrations.models.jobs import Job
from purelymanage.migrations.models.runs import Run, RunError, RunFolder
from purelymanage.migrations.models.servers import Server

__all__ = ["Job", "Run", "RunError", "RunFolder", "RunPassword", "Server"]
