from __future__ import annotations

from purelymanage.migrations.forms.jobs import JobForm
from purelymanage.migrations.forms.passwords import PasswordForm
from purelymanage.migrations.forms.servers import ServerForm

__all__ = ["JobForm", "PasswordForm", "ServerForm"]
