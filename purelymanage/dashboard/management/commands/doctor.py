from __future__ import annotations

import json
import logging
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from purelymanage import operating
from purelymanage.dashboard.doctor import (
    configuration,
    connections,
    packages,
    places,
    running,
    state,
)
from purelymanage.dashboard.doctor.results import Result, Tone

MARKS = {Tone.GOOD: "ok", Tone.ATTENTION: "look", Tone.BROKEN: "BAD"}


class Command(BaseCommand):
    help = (
        "Look at every setting, key, connection and permission of the panel, and say "
        "what to do where something is not well. The exit code is 1 if something is "
        "broken, and 0 if it is well or only wants to be looked at."
    )
    # It looks by itself, and also where the database does not answer.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="for programs"
        )

    def handle(self, *, as_json: bool, **options: Any) -> None:
        checks = [
            *configuration.checks(),
            *places.checks(),
            *packages.checks(),
            *state.checks(),
            *connections.checks(),
        ]
        # What is found is told below, and better.
        before = logging.root.manager.disable
        logging.disable(logging.WARNING)
        try:
            results = running.run(checks)
        finally:
            logging.disable(before)
        if as_json:
            self.stdout.write(_as_json(results))
        else:
            self._tell(results)
        if any(it.tone == Tone.BROKEN for it in results):
            sys.exit(1)

    def _tell(self, results: list[Result]) -> None:
        style = {
            Tone.GOOD: self.style.SUCCESS,
            Tone.ATTENTION: self.style.WARNING,
            Tone.BROKEN: self.style.ERROR,
        }
        width = max(len(it.subject) for it in results)
        for result in results:
            mark = style[result.tone](f"{MARKS[result.tone]:>4}")
            self.stdout.write(f"{mark}  {result.subject:<{width}}  {result.sentence}")
            if result.fix:
                self.stdout.write(f"{'':>{width + 8}}{result.fix}")
        self.stdout.write(f"\n{_summary(results)}")
        if any(it.fix for it in results):
            self.stdout.write(f"After a change of settings: {operating.restart()}")


def _summary(results: list[Result]) -> str:
    broken = sum(it.tone == Tone.BROKEN for it in results)
    attention = sum(it.tone == Tone.ATTENTION for it in results)
    if not (broken or attention):
        return "Everything is well."
    return f"{broken} broken, {attention} to look at."


def _as_json(results: list[Result]) -> str:
    well = not any(it.tone == Tone.BROKEN for it in results)
    return json.dumps({"ok": well, "results": [asdict(it) for it in results]}, indent=2)
