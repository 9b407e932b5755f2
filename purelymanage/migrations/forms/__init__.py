from __future__ import annotations

from purelymanage.migrations.forms.folders import FolderChoice
from purelymanage.migrations.forms.jobs import JobForm
from purelymanage.migrations.forms.options import OptionsForm
from purelymanage.migrations.forms.passwords import PasswordForm
from purelymanage.migrations.forms.servers import (
    FindServerForm,
    ServerForm,
    TryServerForm,
)

__all__ = [
    "FindServerForm",
    "FolderChoice",
    "JobForm",
    "OptionsForm",
    "PasswordForm",
    "ServerForm",
    "TryServerForm",
]
