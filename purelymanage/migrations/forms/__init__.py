from __future__ import annotations

from purelymanage.migrations.forms.jobs import JobForm
from purelymanage.migrations.forms.passwords import PasswordForm
from purelymanage.migrations.forms.servers import (
    FindServerForm,
    ServerForm,
    TryServerForm,
)

__all__ = [
    "FindServerForm",
    "JobForm",
    "PasswordForm",
    "ServerForm",
    "TryServerForm",
]
