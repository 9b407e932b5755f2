from __future__ import annotations

import json
import os
import secrets
import signal
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from purelymanage.purelymail.sandbox.server import CannotListen, Sandbox

# Slow enough to watch a copy and to stop it in the middle.
SOURCE_RATE = 4_000_000


class Command(BaseCommand):
    help = "Run a stand-in for PurelyMail, its DNS and two IMAP servers, to try things."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        for part in ("api", "dns", "source-imap", "destination-imap"):
            parser.add_argument(
                f"--{part}-port", type=int, default=0, help="0: the system chooses"
            )
        parser.add_argument(
            "--state", type=Path, help="folder to remember everything in"
        )
        parser.add_argument(
            "--token-file", type=Path, help="API token; made where it does not exist"
        )
        parser.add_argument(
            "--ready-file", type=Path, help="JSON with addresses, once all answers"
        )

        parser.add_argument(
            "--source-rate",
            type=float,
            default=SOURCE_RATE,
            help="bytes a second from the old provider, 0: no limit (%(default)s)",
        )

    def handle(self, **options: Any) -> None:
        ended = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        ready_file: Path | None = options["ready_file"]
        try:
            sandbox = Sandbox(
                options["state"],
                host=options["host"],
                api_port=options["api_port"],
                dns_port=options["dns_port"],
                source_imap_port=options["source_imap_port"],
                destination_imap_port=options["destination_imap_port"],
                token=_token(options["token_file"]),
            )
            with sandbox:
                sandbox.slow_down(source_rate=options["source_rate"])
                self._announce(sandbox.addresses(), ready_file)
                ended.wait()
                if ready_file is not None:
                    ready_file.unlink(missing_ok=True)
        except (CannotListen, OSError) as exc:
            raise CommandError(f"The sandbox cannot start. {exc}") from exc
        except ImportError as exc:
            message = f"The sandbox needs the extra “sandbox”: {exc.name} is missing."
            raise CommandError(message) from exc

    def _announce(self, addresses: dict[str, str], ready_file: Path | None) -> None:
        for name, label in (
            ("api_url", "PurelyMail API"),
            ("dns", "DNS"),
            ("source_imap", "IMAP of the old provider"),
            ("destination_imap", "IMAP of PurelyMail"),
            ("ca_file", "trust this authority"),
        ):
            self.stdout.write(f"{label}: {addresses[name]}")
        self.stdout.write("Press Ctrl-C to stop.")
        self.stdout.flush()
        if ready_file is not None:
            _write_privately(ready_file, json.dumps(addresses, indent=2) + "\n")


def _token(path: Path | None) -> str | None:
    """Read the token from its file, or make one there."""
    if path is None:
        return None
    try:
        if not path.exists():
            _write_privately(path, f"pm-live-{secrets.token_hex(16)}\n")
        token = path.read_text().strip()
    except OSError as exc:
        raise CommandError(f"The token file cannot be used: {exc}") from exc
    if not token:
        raise CommandError(f"The token file {path} is empty.")
    return token


def _write_privately(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    part.replace(path)
