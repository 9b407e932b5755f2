from __future__ import annotations

import os
import sys

import django
from django.conf import settings
from django.core.management import execute_from_command_line, load_command_class
from django.db import OperationalError
from django.utils.log import configure_logging

from purelymanage import crypto
from purelymanage.environment import stop
from purelymanage.quickstart import environment

# They make no use of the apps, which take longer to load than they do to start.
WITHOUT_APPS = {
    "copy_mailbox": "purelymanage.migrations",
    "quickstart": "purelymanage.quickstart",
    "sandbox": "purelymanage.purelymail",
}
# They prepare, look or repair, also where the keys are wrong. All others could seal
# or write to the audit log, and would do harm with keys of another database.
WITHOUT_KEYS = {
    *("", "help", "version", "check", "diffsettings", "doctor", "shell", "dbshell"),
    *("migrate", "makemigrations", "showmigrations", "sqlmigrate", "optimizemigration"),
    *("squashmigrations", "createcachetable", "collectstatic", "findstatic", "test"),
    *("inspectdb", "sendtestemail", "testserver"),
}
# What the database's client says where nothing listens.
NOBODY_THERE = ("No such file or directory", "Connection refused")
# How it begins when it gets no connection.
NO_CONNECTION = (
    *("connection is bad", "connection failed", "connection timeout"),
    "failed to resolve host",
)


def run(arguments: list[str]) -> None:
    """Carry out a command of Django; without its database it ends in a sentence."""
    name = "".join(arguments[1:2])
    if where := WITHOUT_APPS.get(name):
        # The settings are read all the same, so that mistakes in them are told.
        configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
        load_command_class(where, name).run_from_argv(arguments)
        return
    try:
        if name not in WITHOUT_KEYS and not name.startswith("-"):
            _prove_keys(name, arguments)
        execute_from_command_line(arguments)
    except OperationalError as exc:
        if not str(exc).startswith(NO_CONNECTION):
            raise
        sys.exit(_sentence(str(exc).splitlines()[0]))
    except crypto.Malformed as exc:
        # Where nobody asked for a proof of the keys.
        stop(str(exc))


def _prove_keys(name: str, arguments: list[str]) -> None:
    if {"-h", "--help", "--version"} & set(arguments):
        return
    django.setup()
    from purelymanage.audit import key_proofs

    # Workers may start together with the database, with nobody there to try again.
    patience = key_proofs.PATIENCE if name == "qcluster" else 0
    key_proofs.prove_or_exit(patience=patience)


def _sentence(said: str) -> str:
    if not said.endswith(NOBODY_THERE):
        reason = said.rpartition(" failed: ")[2].removeprefix("FATAL:").strip()
        return f"The database lets nobody in: {reason}. DATABASE_URL says where it is."
    quickstarts = environment.read(environment.VAR / "env").get("DATABASE_URL")
    if quickstarts and quickstarts == os.environ.get("DATABASE_URL"):
        return (
            "The quickstart in this folder is not running; start it first with "
            "./deploy/quickstart."
        )
    return "The database does not answer; DATABASE_URL says where it should be."
