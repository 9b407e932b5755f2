from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from purelymanage.audit import checkpoints
from purelymanage.audit.models import ChainCheck
from purelymanage.audit.verification import walk


class Command(BaseCommand):
    help = "Verify the chain of audit entries, and name the first one that is broken."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--checkpoint",
            metavar="FILE",
            type=Path,
            help="a file or mail with checkpoints that the chain must still pass",
        )

    def handle(self, *, checkpoint: Path | None, **options: Any) -> None:
        known = ChainCheck.objects.positions()
        if checkpoint:
            try:
                text = checkpoint.read_text(encoding="utf-8")
                given = list(checkpoints.read(text.splitlines()))
            except (OSError, UnicodeDecodeError) as exc:
                raise CommandError(f"{checkpoint} cannot be read.") from exc
            except checkpoints.Forged as exc:
                raise CommandError(str(exc)) from exc
            if not given:
                raise CommandError(f"There is no checkpoint in {checkpoint}.")
            known += given
        found = walk(known=known)
        if found.problem:
            raise CommandError(found.problem)
        self.stdout.write(f"{found.position.in_words}.")
