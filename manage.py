#!/usr/bin/env python
from __future__ import annotations

import os
import sys

from purelymanage import command_line
from purelymanage.quickstart.environment import ensure_secrets

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "purelymanage.settings")
    if sys.argv[1:2] == ["quickstart"]:
        # The settings do not load without secrets, and it is to bring its own.
        ensure_secrets()
    command_line.run(sys.argv)
