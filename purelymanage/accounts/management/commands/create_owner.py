from __future__ import annotations

import getpass
import secrets
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from purelymanage.accounts.operations.people import create_owner
from purelymanage.audit.models import Agent
from purelymanage.errors import Refused


class Command(BaseCommand):
    help = "Make somebody an owner of the panel, or give an owner a new password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        given = parser.add_mutually_exclusive_group()
        given.add_argument(
            "--password-file", metavar="FILE", help="read the password from FILE"
        )
        given.add_argument(
            "--random", action="store_true", help="make a password and print it"
        )

    def handle(self, *, email: str, **options: Any) -> None:
        if options["random"]:
            password = secrets.token_urlsafe(18)
        elif options["password_file"]:
            path = Path(options["password_file"])
            try:
                password = path.read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as exc:
                raise CommandError(f"{path} cannot be read.") from exc
        else:
            password = self._ask(email)

        try:
            create_owner(email=email, password=password, actor=Agent.OPERATOR)
        except Refused as exc:
            raise CommandError(str(exc)) from exc
        if options["random"]:
            self.stdout.write(password)
        else:
            self.stdout.write(f"{email} is an owner.")

    def _ask(self, email: str) -> str:
        if not sys.stdin.isatty():
            raise CommandError(
                "There is no terminal to ask for a password at: "
                "use --random or --password-file."
            )
        password = getpass.getpass(f"Password for {email}: ")
        if getpass.getpass("Once more: ") != password:
            raise CommandError("These are two different passwords.")
        return password
