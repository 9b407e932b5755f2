from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand

from purelymanage.quickstart import start


def port_number(text: str) -> int:
    if text.isascii() and text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is not a port number from 1 to 65535.")


class Command(BaseCommand):
    help = "Run the whole panel with a demo account, or with a real one, in var/."
    # There may be no database yet.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=port_number, default=8000, help="port of the web pages"
        )
        parser.add_argument(
            "--reset",
            action="store_true",
            help="remove everything that earlier starts have kept in var/",
        )

    def handle(self, *, port: int, reset: bool, **options: Any) -> None:
        try:
            start.run(port=port, reset=reset, out=sys.stdout)
        except start.PROBLEMS as exc:
            # One sentence; the word "CommandError" says nothing to a newcomer.
            raise SystemExit(str(exc)) from exc
