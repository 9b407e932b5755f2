from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line
from django.db import OperationalError

from purelymanage.quickstart import environment

# What the database's client says where nothing listens.
NOBODY_THERE = ("No such file or directory", "Connection refused")


def run(arguments: list[str]) -> None:
    """Carry out a command of Django; without its database it ends in a sentence."""
    try:
        execute_from_command_line(arguments)
    except OperationalError as exc:
        if not any(words in str(exc) for words in NOBODY_THERE):
            raise
        sys.exit(_sentence())


def _sentence() -> str:
    quickstarts = environment.read(environment.VAR / "env").get("DATABASE_URL")
    if quickstarts and quickstarts == os.environ.get("DATABASE_URL"):
        return (
            "The quickstart in this folder is not running; start it first with "
            "./deploy/quickstart."
        )
    return "The database does not answer; DATABASE_URL says where it should be."
