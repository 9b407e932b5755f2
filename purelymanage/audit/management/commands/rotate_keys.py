from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from purelymanage import crypto, sealed
from purelymanage.audit import key_rotation
from purelymanage.audit.actors import Operator


class Command(BaseCommand):
    help = (
        "Seal all stored secrets with the first key of ENCRYPTION_KEYS, and say which "
        "older keys can be taken out. 1. Put a new key in front of the old ones, with "
        "an id that was never used. 2. Restart the web server and the workers. 3. Run "
        "this. It may be stopped and run again, and the panel may be used meanwhile."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="only say how many secrets each key has sealed",
        )

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        if dry_run:
            self._tell_status()
            return
        first = crypto.key_ids()[0]
        self._refuse_if_somebody_lacks(first)
        actor = Operator.present()
        problems = []
        for column in sealed.columns():
            done = key_rotation.reseal(column, actor=actor)
            self.stdout.write(f"{column.label}: {done.resealed} sealed anew")
            if done.broken:
                rows = ", ".join(map(str, sorted(done.broken)[:10]))
                problems.append(
                    f"{column.label}: {len(done.broken)} cannot be opened with any "
                    f"key, and were left as they are (rows {rows})."
                )
            if done.busy:
                problems.append(
                    f"{column.label}: {done.busy} were in use all the time."
                )
        self._tell_what_can_go(first)
        if problems:
            problems.append("Run this again to try once more.")
            raise CommandError("\n".join(problems))

    def _refuse_if_somebody_lacks(self, first: str) -> None:
        if any(first not in ids for ids in key_rotation.processes()):
            raise CommandError(
                f"Something that runs does not know the key {first} yet, and could not "
                "open what it seals. Restart the web server and the workers, then run "
                "this again."
            )

    def _tell_status(self) -> None:
        for column, counted in key_rotation.status().items():
            self.stdout.write(f"{column.label}: {_in_words(counted)}")
        self._tell_what_can_go(crypto.key_ids()[0])

    def _tell_what_can_go(self, first: str) -> None:
        # Looked at first: what one of them seals before it ends is counted.
        sealing = {ids[0] for ids in key_rotation.processes()}
        used: Counter[str | None] = Counter()
        for counted in key_rotation.status().values():
            used.update(counted)
        old = [key_id for key_id in crypto.key_ids() if key_id != first]
        if not old:
            self.stdout.write(f"The key {first} is the only one.")
        for key_id in old:
            if used[key_id]:
                text = f"The key {key_id} is needed: it has sealed {used[key_id]}."
            elif key_id in sealing:
                text = (
                    f"The key {key_id} is needed: something that runs still seals with "
                    "it. Restart the web server and the workers, and run this again."
                )
            else:
                text = (
                    f"The key {key_id} is used by nothing any more: take it out of "
                    "ENCRYPTION_KEYS, and restart the web server and the workers."
                )
            self.stdout.write(text)


def _in_words(counted: Counter[str | None]) -> str:
    known = [
        f"{count} with the key {key_id}"
        for key_id, count in sorted(counted.items(), key=str)
        if key_id is not None
    ]
    if counted[None]:
        known.append(f"{counted[None]} not sealed")
    return ", ".join(known) or "none"
