from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

from purelymanage.quickstart.environment import ensure_secrets

if __name__ == "__main__":
    ensure_secrets()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "purelymanage.settings")
    execute_from_command_line(["manage.py", "quickstart", *sys.argv[1:]])
