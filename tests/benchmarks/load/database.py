"""A PostgreSQL of its own, with the panel's settings around it."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME, SECOND = "load", "tenth"


@contextmanager
def running_database() -> Iterator[Path]:
    """Start one in a folder that is gone afterwards, and set Django up for it."""
    from purelymanage.quickstart.postgres import Cluster

    folder = Path(tempfile.mkdtemp(prefix="load-"))
    # The server's own user has to pass through.
    folder.chmod(0o711)
    database = Cluster(folder / "postgres", log=folder / "postgres.log", durable=False)
    try:
        database.start()
        database.create_database(NAME)
        _set_up(database.url(NAME), folder)
        yield folder
    finally:
        database.stop()
        database.remove()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def another_database() -> Iterator[None]:
    """Work with a second one for a while, before the first has any rows."""
    from django.db import connection

    _use("postgres")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {SECOND} TEMPLATE {NAME}")
    _use(SECOND)
    try:
        yield
    finally:
        _use(NAME)


def _use(name: str) -> None:
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = name


def _set_up(url: str, folder: Path) -> None:
    os.environ |= {
        "ENV_FILE": os.devnull,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "AUDIT_KEY": secrets.token_urlsafe(32),
        "ENCRYPTION_KEYS": f"1:{b64encode(secrets.token_bytes(32)).decode()}",
        "DATABASE_URL": url,
        "BASE_URL": "http://127.0.0.1",
        "ALLOWED_HOSTS": "testserver,127.0.0.1",
        "STATIC_ROOT": str(folder / "static"),
        "EMAIL_URL": "consolemail://",
        # Nothing answers there, and no page asks.
        "PURELYMAIL_API_URL": "http://127.0.0.1:9",
        "PURELYMAIL_API_TOKEN": "pm-live-only-for-measuring",
        "IMAPSYNC_BIN": "",
        "DJANGO_SETTINGS_MODULE": "purelymanage.settings",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
